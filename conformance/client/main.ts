/**
 * A process that makes calls on a mount, one a line of JSON: node main.js MOUNTPOINT. Calls block it, as they would any
 * process; whoever asks waits with a deadline.
 */
import { createInterface } from 'node:readline'
import type { Call } from '../scenario.js'
import { CallError, RealProcess } from './calls.js'

type Order =
  | { readonly do: 'call'; readonly call: Call }
  | { readonly do: 'files' }
  | { readonly do: 'adopt'; readonly pid: number; readonly files: Readonly<Record<string, number>> }
  | { readonly do: 'reset' }

const client = new RealProcess(process.argv[2] ?? '')

function carryOut(order: Order): unknown {
  switch (order.do) {
    case 'call':
      return client.call(order.call)
    case 'files':
      return client.files
    case 'adopt':
      client.adopt(order.pid, order.files)
      return null
    case 'reset':
      client.reset()
      return null
  }
}

// The signal that scenarios send: it interrupts a wait and does nothing else.
process.on('SIGUSR2', () => undefined)
createInterface({ input: process.stdin }).on('line', (line) => {
  let answer: object
  try {
    answer = { value: carryOut(JSON.parse(line) as Order) }
  } catch (error) {
    if (error instanceof CallError) answer = { error: error.message }
    else answer = { failure: error instanceof Error ? (error.stack ?? error.message) : String(error) }
  }
  process.stdout.write(`${JSON.stringify(answer)}\n`)
})
