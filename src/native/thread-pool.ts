import { inBackground, libc, type NativeCall } from './libc.js'

const gettidCall = libc.func('int gettid()') as NativeCall<[]>
/** Rounds of work, after which a thread that has had none is given up on. */
const ROUNDS = 64

/**
 * Has libuv start all threads of its pool now. They start with the first work given to them and inherit the
 * credentials of the thread that gave it; so this comes before the first {@link actAs}. Returns their thread ids.
 */
export async function warmThreadPool(): Promise<ReadonlySet<number>> {
  const threads = Number(process.env['UV_THREADPOOL_SIZE'] ?? 4)
  const count = Number.isInteger(threads) && threads > 0 ? Math.min(threads, 1024) : 4
  const found = new Set<number>()
  for (let round = 0; found.size < count && round < ROUNDS; round++) {
    // At most 256 calls may be under way.
    const calls = Array.from({ length: Math.min(count * 4, 256) }, () => inBackground(gettidCall, []))
    for (const thread of await Promise.all(calls)) found.add(thread)
  }
  return found
}
