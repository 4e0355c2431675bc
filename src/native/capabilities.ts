import { type NativeCall, checked, syscallOf } from './libc.js'
import { Syscall } from './syscall-numbers.js'

const capgetCall = syscallOf('void *, void *') as NativeCall<[number, Uint32Array, Uint32Array]>
const capsetCall = syscallOf('void *, void *') as NativeCall<[number, Uint32Array, Uint32Array]>

/** Capabilities by number (linux/capability.h). */
export const CAP = {
  CHOWN: 0,
  DAC_OVERRIDE: 1,
  DAC_READ_SEARCH: 2,
  FOWNER: 3,
  FSETID: 4,
  SETGID: 6,
  SETUID: 7,
  LINUX_IMMUTABLE: 9,
  SYS_ADMIN: 21,
  SYS_RESOURCE: 24,
  MKNOD: 27,
  SETFCAP: 31,
  MAC_OVERRIDE: 32,
} as const

/** A set of capabilities: bit n for capability n. */
export type CapabilitySet = bigint

/** The set of the given capabilities. */
export function capabilitySet(...capabilities: readonly number[]): CapabilitySet {
  return capabilities.reduce((set, capability) => set | (1n << BigInt(capability)), 0n)
}

/** _LINUX_CAPABILITY_VERSION_3 and pid 0: the calling thread. */
const header = new Uint32Array([0x20080522, 0])
/** Two structs of effective, permitted, inheritable: low halves, then high halves. */
const data = new Uint32Array(6)

function fetch(): number {
  header[0] = 0x20080522
  return checked(capgetCall(Syscall.capget, header, data))
}

/** The calling thread's effective set, empty when it cannot be read. */
export function effectiveCapabilities(): CapabilitySet {
  return fetch() < 0 ? 0n : BigInt(data[0]!) | (BigInt(data[3]!) << 32n)
}

/** The calling thread's permitted set, empty when it cannot be read. */
export function permittedCapabilities(): CapabilitySet {
  return fetch() < 0 ? 0n : BigInt(data[1]!) | (BigInt(data[4]!) << 32n)
}

/** Whether the calling thread has a capability in effect. */
export function hasCapability(capability: number): boolean {
  return (effectiveCapabilities() & (1n << BigInt(capability))) !== 0n
}

/**
 * Sets the calling thread's effective set to what of `set` is permitted. Returns 0 or -errno. Other threads
 * keep theirs; threads started later by this one inherit it.
 */
export function setEffectiveCapabilities(set: CapabilitySet): number {
  const result = fetch()
  if (result < 0) return result
  const low = Number(set & 0xffff_ffffn) & data[1]!
  const high = Number(set >> 32n) & data[4]!
  if (low >>> 0 === data[0]! && high >>> 0 === data[3]!) return 0
  data[0] = low
  data[3] = high
  return checked(capsetCall(Syscall.capset, header, data))
}

/** Takes capabilities out of the calling thread's effective set; they stay permitted. */
export function dropEffective(set: CapabilitySet): number {
  return setEffectiveCapabilities(effectiveCapabilities() & ~set)
}

/**
 * Brings permitted capabilities back into the calling thread's effective set; those not permitted are passed
 * over.
 */
export function raiseEffective(set: CapabilitySet): number {
  return setEffectiveCapabilities(effectiveCapabilities() | set)
}

/** The sets as {@link saveCapabilities} found them. */
const saved = new Uint32Array(6)

/**
 * CAP_FS_MASK (linux/capability.h), low and high half: what a change of the file system uid takes and gives
 * back.
 */
const FS_MASK_LOW = 0x0800021f
const FS_MASK_HIGH = 1

/** Remembers the sets before a change of the file system uid. Returns 0 or -errno. */
export function saveCapabilities(): number {
  const result = fetch()
  if (result === 0) saved.set(data)
  return result
}

/**
 * Puts the effective set back after the file system uid came back to 0; without a system call where the
 * kernel has done so, that is when every permitted file capability was in effect before.
 */
export function restoreCapabilities(): number {
  const low = saved[1]! & ~saved[0]! & FS_MASK_LOW
  const high = saved[4]! & ~saved[3]! & FS_MASK_HIGH
  if (low === 0 && high === 0) return 0
  return checked(capsetCall(Syscall.capset, header, saved))
}

/**
 * Runs a function with capabilities out of effect on this thread, then puts the effective set back as it was.
 */
export function withoutCapabilities<T>(set: CapabilitySet, action: () => T): T {
  const before = effectiveCapabilities()
  const result = setEffectiveCapabilities(before & ~set)
  if (result < 0) throw new Error(`capset failed (errno ${-result})`)
  try {
    return action()
  } finally {
    setEffectiveCapabilities(before)
  }
}
