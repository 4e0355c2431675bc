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
/**
 * Two structs of effective, permitted, inheritable: low halves, then high halves. They are the thread's own as long
 * as `isKnown`, so that the request path asks for them once and not each time.
 */
const data = new Uint32Array(6)
let isKnown = false
/** Counts the sets put into effect by this file. */
let changes = 0

function fetch(): number {
  header[0] = 0x20080522
  const result = checked(capgetCall(Syscall.capget, header, data))
  isKnown = result === 0
  return result
}

function known(): number {
  return isKnown ? 0 : fetch()
}

/**
 * The kernel has changed the sets with an identity, or may have. Every change of the thread's identity by this folder
 * calls it; after process.seteuid() and its like {@link effectiveCapabilities} asks afresh.
 */
export function capabilitiesChanged(): void {
  isKnown = false
}

function inEffect(): CapabilitySet {
  return BigInt(data[0]!) | (BigInt(data[3]!) << 32n)
}

/** The calling thread's effective set, asked of the kernel; empty when it cannot be read. */
export function effectiveCapabilities(): CapabilitySet {
  return fetch() < 0 ? 0n : inEffect()
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
  const result = known()
  if (result < 0) return result
  const low = Number(set & 0xffff_ffffn) & data[1]!
  const high = Number(set >> 32n) & data[4]!
  if (low >>> 0 === data[0]! && high >>> 0 === data[3]!) return 0
  data[0] = low
  data[3] = high
  return apply()
}

/** Puts `data` into effect. */
function apply(): number {
  const result = checked(capsetCall(Syscall.capset, header, data))
  isKnown = result === 0
  changes++
  return result
}

/** Takes capabilities out of the calling thread's effective set; they stay permitted. */
export function dropEffective(set: CapabilitySet): number {
  const result = known()
  return result < 0 ? result : setEffectiveCapabilities(inEffect() & ~set)
}

/**
 * Brings permitted capabilities back into the calling thread's effective set; those not permitted are passed
 * over.
 */
export function raiseEffective(set: CapabilitySet): number {
  const result = known()
  return result < 0 ? result : setEffectiveCapabilities(inEffect() | set)
}

/** The sets as {@link saveCapabilities} found them. */
const saved = new Uint32Array(6)
let changesWhenSaved = 0

/**
 * CAP_FS_MASK (linux/capability.h), low and high half: what a change of the file system uid takes and gives
 * back.
 */
const FS_MASK_LOW = 0x0800021f
const FS_MASK_HIGH = 1

/** Remembers the sets before a change of the file system uid. Returns 0 or -errno. */
export function saveCapabilities(): number {
  const result = known()
  if (result < 0) return result
  saved.set(data)
  changesWhenSaved = changes
  return 0
}

/**
 * Puts the sets back after the file system uid came back to 0; without a system call where the kernel has done so,
 * that is when every permitted file capability was in effect before and nobody set others meanwhile.
 */
export function restoreCapabilities(): number {
  const low = saved[1]! & ~saved[0]! & FS_MASK_LOW
  const high = saved[4]! & ~saved[3]! & FS_MASK_HIGH
  data.set(saved)
  isKnown = low === 0 && high === 0 && changes === changesWhenSaved
  return isKnown ? 0 : apply()
}

/**
 * Runs a function with capabilities out of effect on this thread, then puts the effective set back as it was. Costs no
 * system call where they are out of effect already.
 */
export function withoutCapabilities<T>(set: CapabilitySet, action: () => T): T {
  need(known())
  const before = inEffect()
  return (before & set) === 0n ? action() : within(before & ~set, before, action)
}

/** Runs a function with those of the capabilities in effect that are permitted, then puts the effective set back. */
export function withCapabilities<T>(set: CapabilitySet, action: () => T): T {
  need(known())
  const before = inEffect()
  return (before & set) === set ? action() : within(before | set, before, action)
}

function within<T>(wanted: CapabilitySet, before: CapabilitySet, action: () => T): T {
  need(setEffectiveCapabilities(wanted))
  try {
    return action()
  } finally {
    need(setEffectiveCapabilities(before))
  }
}

function need(result: number): void {
  if (result < 0) throw new Error(`cannot set capabilities (errno ${-result})`)
}
