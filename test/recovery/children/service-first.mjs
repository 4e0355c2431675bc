// Puts service first in a process of its own, and says of each of its threads its scheduling policy, how nice
// it is, and the class of its io:
// main, libuv's pool, others.
import { readdirSync, readFileSync } from 'node:fs'
import { getPriority } from 'node:os'
import { ioPriority, warmThreadPool } from '../../../dist/native/index.js'
import { putServiceFirst } from '../../../dist/recovery/priority.js'

const pool = await warmThreadPool()
if (process.argv[3] === 'plain') process.setuid(65534)
putServiceFirst(pool, process.argv[2])
const threads = readdirSync('/proc/self/task').map(Number)
/** Field 41 of proc_pid_stat(5). */
const policyOf = (thread) => {
  const stat = readFileSync(`/proc/self/task/${thread}/stat`, 'latin1')
  return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[38])
}
const standingOf = (chosen) =>
  threads
    .filter(chosen)
    .map((thread) => `${policyOf(thread)} ${getPriority(thread)} ${ioPriority(thread).ioClass}`)
const result = {
  main: standingOf((thread) => thread === process.pid),
  pool: standingOf((thread) => pool.has(thread)),
  others: standingOf((thread) => thread !== process.pid && !pool.has(thread)),
}
console.log(JSON.stringify(result))
