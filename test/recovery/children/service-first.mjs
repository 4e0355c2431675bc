// Puts service first in a process of its own, and says of each of its threads its scheduling policy, how nice
// it is, and the class of its io: main, libuv's pool, others; also their slices in nanoseconds, and
// `ordinary`, the slice that this process had (0: the kernel has one for all, before Linux 6.12).
import { readdirSync } from 'node:fs'
import { getPriority } from 'node:os'
import { ioPriority, schedulingOf, warmThreadPool } from '../../../dist/native/index.js'
import { putServiceFirst } from '../../../dist/recovery/priority.js'

const ordinary = schedulingOf(process.pid).slice
const pool = await warmThreadPool()
if (process.argv[3] === 'plain') process.setuid(65534)
putServiceFirst(pool, process.argv[2])
const threads = readdirSync('/proc/self/task').map(Number)
const groups = {
  main: [process.pid],
  pool: threads.filter((thread) => pool.has(thread)),
  others: threads.filter((thread) => thread !== process.pid && !pool.has(thread)),
}
const ofEach = (say) =>
  Object.fromEntries(Object.entries(groups).map(([name, group]) => [name, group.map(say)]))
const standings = ofEach(
  (thread) => `${schedulingOf(thread).policy} ${getPriority(thread)} ${ioPriority(thread).ioClass}`,
)
console.log(
  JSON.stringify({ ...standings, slices: ofEach((thread) => schedulingOf(thread).slice), ordinary }),
)
