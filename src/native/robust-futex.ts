import { inBackground, checked, syscall } from './libc.js'
import { addressOf } from './memory-address.js'
import { Syscall } from './syscall-numbers.js'

/** Bits of a robust futex's word beside the thread id (linux/futex.h). */
const WAITERS = 0x80000000
const OWNER_DIED = 0x40000000
/** What the kernel leaves of it. */
const DEAD = (WAITERS | OWNER_DIED) >>> 0
const FUTEX_WAIT = 0
const FUTEX_WAKE = 1
const EVERYBODY = 0x7fffffff

/** struct robust_list_head: the list, the futex's distance from an entry, an entry on its way into or out of it. */
const HEAD_BYTES = 24
/** Registered with the kernel for the life of the thread: never collected. */
const head = new Uint8Array(HEAD_BYTES)

/** What the word of a living owner is. */
function heldBy(pid: number): number {
  return (pid | WAITERS) >>> 0
}

/**
 * Makes the calling thread, which must be the main one, the owner of a word in shared memory: when the thread ends,
 * however, the kernel marks the word and wakes who waits for it ({@link ownerDied}). It does so at the beginning of
 * the thread's end (kernel/exit.c, exit_mm_release), before the memory of the process is taken apart. One word at a
 * time; takes the place of the C library's list of the thread's robust mutexes. `word`: 4 bytes, aligned.
 */
export function ownUntilDeath(word: Uint8Array): number {
  const view = new DataView(head.buffer)
  // An empty list, and our word as the entry under way: that one is looked at as well.
  view.setBigUint64(0, BigInt(addressOf(head, 0)), true)
  view.setBigUint64(16, BigInt(addressOf(word, 0)), true)
  Atomics.store(wordOf(word), 0, heldBy(process.pid))
  const result = checked(syscall(Syscall.set_robust_list, addressOf(head, 0), HEAD_BYTES, 0, 0, 0, 0))
  if (result < 0) return result
  return checked(syscall(Syscall.futex, addressOf(word, 0), FUTEX_WAKE, EVERYBODY, 0, 0, 0))
}

/**
 * Waits, on a thread of libuv's pool, until the main thread of process `pid` has begun to end. False: the word is not,
 * or no longer, that process's, so nothing was learned.
 */
export async function ownerDied(word: Uint8Array, pid: number): Promise<boolean> {
  const words = wordOf(word)
  for (;;) {
    const value = Atomics.load(words, 0)
    if (value === heldBy(pid)) {
      const address = addressOf(word, 0)
      await inBackground(syscall, [Syscall.futex, address, FUTEX_WAIT, value, 0, 0, 0], word)
    } else {
      return value === DEAD
    }
  }
}

function wordOf(word: Uint8Array): Uint32Array {
  return new Uint32Array(word.buffer, word.byteOffset, 1)
}
