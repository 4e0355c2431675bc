/**
 * Watches over connections from outside: one that is not called off in time is aborted, and all of them when the one
 * who asked has gone. Lines of JSON: {"watch":connection,"milliseconds":n}, {"done":connection}.
 */
import { createInterface } from 'node:readline'
import { abortConnection } from '../../src/mount/fusectl.js'

type Order = { readonly watch: number; readonly milliseconds: number } | { readonly done: number }

const watched = new Map<number, NodeJS.Timeout>()

function abort(connection: number): void {
  abortConnection(connection)
  watched.delete(connection)
}

createInterface({ input: process.stdin })
  .on('line', (line) => {
    const order = JSON.parse(line) as Order
    if ('watch' in order) {
      watched.set(
        order.watch,
        setTimeout(() => abort(order.watch), order.milliseconds),
      )
      return
    }
    clearTimeout(watched.get(order.done))
    watched.delete(order.done)
  })
  .on('close', () => {
    for (const [connection, timer] of watched) {
      clearTimeout(timer)
      abort(connection)
    }
  })
