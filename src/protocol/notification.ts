import type { U64 } from './u64.js'

/** What a server tells the kernel unasked, told apart by `code`. */
export type Notification =
  | {
      /** A polled file may be ready; `kh` is that of the POLL request. */
      readonly code: 'POLL'
      readonly kh: U64
    }
  | {
      /** Attributes are stale and, unless `off` is negative, cached data from `off` on (`len` 0: to the end). */
      readonly code: 'INVAL_INODE'
      readonly nodeid: U64
      readonly off: U64
      readonly len: U64
    }
  | {
      readonly code: 'INVAL_ENTRY'
      readonly parent: U64
      readonly name: Uint8Array
      /** Let the entry expire instead of detaching what is mounted or open below it. Linux 6.2. */
      readonly expireOnly: boolean
    }
  | {
      /** Puts data into the page cache. */
      readonly code: 'STORE'
      readonly nodeid: U64
      readonly offset: U64
      readonly data: Uint8Array
    }
  | {
      /** Asks for `size` bytes of the page cache: they come as a NOTIFY_REPLY request of this `unique`. */
      readonly code: 'RETRIEVE'
      readonly notifyUnique: U64
      readonly nodeid: U64
      readonly offset: U64
      readonly size: number
    }
  | {
      /** The entry has been removed; it is taken away even when in use, if it still is `child`. */
      readonly code: 'DELETE'
      readonly parent: U64
      readonly child: U64
      readonly name: Uint8Array
    }
  | {
      /** Send again what was read and not answered. Linux 6.9. */
      readonly code: 'RESEND'
    }
  | {
      /** Look up every name again. Linux 6.16. */
      readonly code: 'INC_EPOCH'
    }
  | {
      /** Forget those of these nodes that nobody uses. Linux 6.18. */
      readonly code: 'PRUNE'
      readonly nodeids: readonly U64[]
    }
