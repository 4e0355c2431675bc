/**
 * Entry of the process that works on the mount during a soak: makes, looks up, links, renames and removes many names.
 * A line on standard input makes it rest, with nothing open, and the next one go on; at the end of the input it ends. It
 * says `resting` with its counts, and `failed` with the first failure.
 */
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'
import { kernelCalls } from '../../src/drill/kernel-calls.js'
import { NamesWork } from './names-work.js'

const PAUSE_MS = 5

const [mountPoint = '', files = '0'] = process.argv.slice(2)
const work = new NamesWork(kernelCalls(mountPoint), Number(files))
let wanted: 'work' | 'rest' | 'end' = 'work'
const input = createInterface({ input: process.stdin })
input.on('line', (line) => {
  wanted = line === 'rest' ? 'rest' : 'work'
})
input.on('close', () => {
  wanted = 'end'
})

process.stdout.write('started\n')
let isResting = false
const wants = (what: typeof wanted): boolean => wanted === what
while (!wants('end')) {
  if (wants('rest')) {
    if (!isResting) {
      await work.rest()
      process.stdout.write(`resting ${work.operations}\n`)
    }
    isResting = true
    await delay(PAUSE_MS)
    continue
  }
  isResting = false
  try {
    await work.step()
  } catch (error) {
    process.stdout.write(`failed ${error instanceof Error ? error.message : String(error)}\n`)
    break
  }
  await delay(PAUSE_MS)
}
