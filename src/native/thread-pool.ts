import { stat } from 'node:fs/promises'

/**
 * Has libuv start all threads of its pool now. They start with the first work given to them and inherit the
 * credentials of the thread that gave it; so this comes before the first {@link actAs}.
 */
export async function warmThreadPool(): Promise<void> {
  const threads = Number(process.env['UV_THREADPOOL_SIZE'] ?? 4)
  const count = Number.isInteger(threads) && threads > 0 ? Math.min(threads, 1024) : 4
  await Promise.all(Array.from({ length: count * 4 }, () => stat('/')))
}
