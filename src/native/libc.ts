import koffi from 'koffi'

/**
 * The C library as the calling process has it loaded. Every other file of this folder declares the calls it
 * needs from here; nothing outside this folder imports koffi.
 *
 * A call returns what C returns, 64-bit results as a number where they fit and as a bigint otherwise.
 */
export const libc = koffi.load(null)

/**
 * A declared C function: called at once on this thread, or with `async` on a thread of libuv's pool.
 * `errno` is that of the call inside the callback of `async` as well. An asynchronous call does not keep its
 * buffers alive: see {@link inBackground}.
 */
export interface NativeCall<A extends unknown[]> {
  (...args: A): number
  async(...args: [...A, callback: (error: unknown, result: number) => void]): void
}

/** Bytes ended by a NUL and holding no other, as paths and names are passed to the kernel. */
export type CString = Uint8Array & { readonly [cstringBrand]: true }
declare const cstringBrand: unique symbol

const utf8 = new TextEncoder()

/**
 * Ends a path or name with a NUL. Bytes pass unchanged (names need not be UTF-8), strings are encoded as
 * UTF-8. Throws a TypeError when a NUL is inside: the kernel would silently see a shorter name.
 */
export function cstring(name: string | Uint8Array): CString {
  const bytes = typeof name === 'string' ? utf8.encode(name) : name
  if (bytes.includes(0)) throw new TypeError('a path or name must not contain a NUL byte')
  const ended = new Uint8Array(bytes.length + 1)
  ended.set(bytes)
  return ended as CString
}

/**
 * Takes bytes that already end with their only NUL as a {@link CString}, without a copy and without a check.
 */
export function asCString(bytes: Uint8Array): CString {
  return bytes as CString
}

/** The empty path: with AT_EMPTY_PATH a call acts on the descriptor itself. */
export const EMPTY_PATH = cstring('')

/** The errno of the last call that failed on this thread. */
export function errno(): number {
  return koffi.errno()
}

/** A result as the kernel would have returned it: >= 0, or -errno. */
export function checked(result: number): number {
  return result < 0 ? -koffi.errno() : result
}

/**
 * Runs a call on libuv's pool: 4 threads by default, shared with node:fs and node:dns, and at most 256 calls
 * under way or queued. `keep` holds what the call points to until it has ended.
 */
export function inBackground<A extends unknown[]>(
  call: NativeCall<A>,
  args: A,
  ...keep: readonly object[]
): Promise<number> {
  return new Promise((resolve, reject) => {
    call.async(...args, (error, result) => {
      alive.delete(keep)
      if (error !== null)
        reject(error instanceof Error ? error : new Error('native call failed', { cause: error }))
      else resolve(checked(result))
    })
    alive.add(keep)
  })
}

/** What asynchronous calls point to. A reference from a closure alone may be optimised away. */
const alive = new Set<readonly object[]>()

/** `syscall(2)` with all six arguments as integers; addresses come from memory-address.ts. */
export const syscall = libc.func(
  'int64_t syscall(int64_t, int64_t, int64_t, int64_t, int64_t, int64_t, int64_t)',
) as NativeCall<
  [
    number,
    number | bigint,
    number | bigint,
    number | bigint,
    number | bigint,
    number | bigint,
    number | bigint,
  ]
>

/** The variant of `syscall(2)` with the given argument types, for calls that take buffers. */
export function syscallOf(args: string): ReturnType<typeof libc.func> {
  return libc.func(`int64_t syscall(int64_t, ${args})`)
}
