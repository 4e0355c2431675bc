// Puts service first in a process of its own, and says of each of its threads its scheduling policy, how nice
// it is, the class of its io, and its slice in microseconds (0: the kernel's own; - where all have the same, before Linux
// 6.12): main, libuv's pool, others.
import { readdirSync } from 'node:fs'
import { getPriority } from 'node:os'
import { ioPriority, schedulingOf, warmThreadPool } from '../../../dist/native/index.js'
import { putServiceFirst } from '../../../dist/recovery/priority.js'

const ordinary = schedulingOf(process.pid).slice
const pool = await warmThreadPool()
if (process.argv[3] === 'plain') process.setuid(65534)
putServiceFirst(pool, process.argv[2])
const threads = readdirSync('/proc/self/task').map(Number)
const standingOf = (chosen) =>
  threads.filter(chosen).map((thread) => {
    const { policy, slice } = schedulingOf(thread)
    const own = policy !== 0 || slice === ordinary ? 0 : slice / 1_000
    return `${policy} ${getPriority(thread)} ${ioPriority(thread).ioClass} ${own}`
  })
const result = {
  main: standingOf((thread) => thread === process.pid),
  pool: standingOf((thread) => pool.has(thread)),
  others: standingOf((thread) => thread !== process.pid && !pool.has(thread)),
}
console.log(JSON.stringify(result))
