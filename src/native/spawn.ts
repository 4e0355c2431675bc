import { Errno } from '../errors/errno.js'
import { close, dup } from './descriptor.js'
import { type CString, type NativeCall, checked, cstring, libc } from './libc.js'
import { addressOf } from './memory-address.js'
import { O } from './open-flags.js'

type Opaque = Uint8Array
const spawnCall = libc.func('int posix_spawn(void *, void *, void *, void *, void *, void *)') as NativeCall<
  [Int32Array, CString, Opaque, Opaque, BigUint64Array, BigUint64Array]
>
const actionsInit = libc.func('int posix_spawn_file_actions_init(void *)') as NativeCall<[Opaque]>
const actionsDestroy = libc.func('int posix_spawn_file_actions_destroy(void *)') as NativeCall<[Opaque]>
const actionsDup2 = libc.func('int posix_spawn_file_actions_adddup2(void *, int, int)') as NativeCall<
  [Opaque, number, number]
>
const actionsOpen = libc.func(
  'int posix_spawn_file_actions_addopen(void *, int, void *, int, unsigned int)',
) as NativeCall<[Opaque, number, CString, number, number]>
const attributesInit = libc.func('int posix_spawnattr_init(void *)') as NativeCall<[Opaque]>
const attributesFlags = libc.func('int posix_spawnattr_setflags(void *, short)') as NativeCall<
  [Opaque, number]
>
const attributesDefault = libc.func('int posix_spawnattr_setsigdefault(void *, void *)') as NativeCall<
  [Opaque, Uint8Array]
>
const attributesMask = libc.func('int posix_spawnattr_setsigmask(void *, void *)') as NativeCall<
  [Opaque, Uint8Array]
>

const SETSIGDEF = 0x04
const SETSIGMASK = 0x08
/** More than posix_spawn_file_actions_t and posix_spawnattr_t have in any C library, and than a sigset_t has. */
const OPAQUE_BYTES = 1024
const SIGSET_BYTES = 128
const NULL_DEVICE = cstring('/dev/null')

/** What a program is started with. */
export interface Spawned {
  /** Absolute path of the program. */
  readonly file: string
  /** After the program's own name. */
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string | undefined>>
  /** Descriptors it is to have, from 0 on; 'ignore': /dev/null. It gets no others, as long as all are close-on-exec. */
  readonly descriptors: readonly (number | 'ignore')[]
}

/**
 * Starts a program with posix_spawn(3): its pid, or -errno. Unlike fork it copies no page tables, so it takes the same
 * short time however large this process is, and leaves none of its pages to be copied when they are next written to. All
 * signals are as by default in the new process. It is this one's to reap: {@link exitOf}, {@link reap}.
 */
export function spawnProcess({ file, args, env, descriptors }: Spawned): number {
  const moved: number[] = []
  const actions = new Uint8Array(OPAQUE_BYTES)
  const attributes = new Uint8Array(OPAQUE_BYTES)
  actionsInit(actions)
  try {
    for (const [target, source] of descriptors.entries()) {
      if (source === 'ignore') {
        actionsOpen(actions, target, NULL_DEVICE, O.RDWR, 0)
        continue
      }
      // Out of the way of those that are made.
      const copy = dup(source, descriptors.length)
      if (copy < 0) return copy
      moved.push(copy)
      actionsDup2(actions, copy, target)
    }
    attributesInit(attributes)
    attributesFlags(attributes, SETSIGDEF | SETSIGMASK)
    attributesDefault(attributes, new Uint8Array(SIGSET_BYTES).fill(0xff))
    attributesMask(attributes, new Uint8Array(SIGSET_BYTES))
    const path = cstring(file)
    const words = [path, ...args.map((arg) => cstring(arg))]
    const settings = Object.entries(env).flatMap(([name, value]) =>
      value === undefined ? [] : [cstring(`${name}=${value}`)],
    )
    // What the pointers lead to must not be collected before the call.
    const kept = [words, settings]
    const pid = new Int32Array(1)
    // It returns the error number itself.
    const failed = spawnCall(pid, path, actions, attributes, pointersTo(words), pointersTo(settings))
    kept.length = 0
    return failed === 0 ? pid[0]! : -failed
  } finally {
    for (const fd of moved) close(fd)
    actionsDestroy(actions)
  }
}

/** An array of pointers ended by NULL, as argv and environ are. */
function pointersTo(strings: readonly CString[]): BigUint64Array {
  return BigUint64Array.from([...strings.map((string) => BigInt(addressOf(string, 0))), 0n])
}

const waitidCall = libc.func('int waitid(int, unsigned int, void *, int)') as NativeCall<
  [number, number, Int32Array, number]
>
const P_PIDFD = 3
const WNOHANG = 1
const WEXITED = 4
const WNOWAIT = 0x0100_0000
const CLD_EXITED = 1
/** siginfo_t of a child that has ended, in 32-bit words. */
const SIGINFO_WORDS = 32
const Siginfo = { code: 2, pid: 4, status: 6 } as const

/** How a child has ended: its exit code, or the number of the signal that ended it. */
export type ChildExit = { readonly code: number } | { readonly signal: number }

/**
 * How a child has ended, which stays to be reaped (waitid(2) with P_PIDFD, Linux 5.4+, and WNOWAIT); -EAGAIN while it
 * has not, -ECHILD when it is no child or has been reaped.
 */
export function exitOf(pidfd: number): ChildExit | number {
  const info = new Int32Array(SIGINFO_WORDS)
  const result = checked(waitidCall(P_PIDFD, pidfd, info, WEXITED | WNOHANG | WNOWAIT))
  if (result < 0) return result
  if (info[Siginfo.pid] === 0) return -Errno.EAGAIN
  const status = info[Siginfo.status]!
  return info[Siginfo.code] === CLD_EXITED ? { code: status } : { signal: status }
}

/** Frees what the kernel keeps of a child that has ended: its number may be another's from here on. */
export function reap(pidfd: number): number {
  return checked(waitidCall(P_PIDFD, pidfd, new Int32Array(SIGINFO_WORDS), WEXITED | WNOHANG))
}
