// Puts service first in a process of its own, and says how nice each of its threads is: main, libuv's pool, others.
import { readdirSync } from 'node:fs'
import { getPriority } from 'node:os'
import { warmThreadPool } from '../../../dist/native/index.js'
import { putServiceFirst } from '../../../dist/recovery/priority.js'

const pool = await warmThreadPool()
putServiceFirst(pool)
const threads = readdirSync('/proc/self/task').map(Number)
const niceOf = (chosen) => threads.filter(chosen).map((thread) => getPriority(thread))
const result = {
  main: niceOf((thread) => thread === process.pid),
  pool: niceOf((thread) => pool.has(thread)),
  others: niceOf((thread) => thread !== process.pid && !pool.has(thread)),
}
console.log(JSON.stringify(result))
