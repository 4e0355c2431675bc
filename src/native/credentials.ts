import { Errno } from '../errors/errno.js'
import { capabilitiesChanged, restoreCapabilities, saveCapabilities } from './capabilities.js'
import { type NativeCall, checked, libc, syscallOf } from './libc.js'
import { Syscall } from './syscall-numbers.js'

/*
 * File system identity of the calling thread alone, by raw system calls: glibc's setgroups would change every
 * thread. Threads started meanwhile inherit it, so warm libuv's pool (warmThreadPool) and start no worker
 * while it is put on.
 */

const setfsidCall = syscallOf('int') as NativeCall<[number, number]>
const setgroupsCall = syscallOf('size_t, void *') as NativeCall<[number, number, Uint32Array]>
const getgroupsCall = libc.func('int getgroups(int, void *)') as NativeCall<[number, Uint32Array]>

/** NGROUPS_MAX */
const groupsBuffer = new Uint32Array(65536)

function currentGroups(): Uint32Array {
  const count = checked(getgroupsCall(groupsBuffer.length, groupsBuffer))
  return groupsBuffer.slice(0, Math.max(count, 0))
}

/**
 * setfsuid(2) of the calling thread. Returns 0, or -EPERM: the call itself reports nothing, so it is read
 * back.
 */
export function setFsUid(uid: number): number {
  capabilitiesChanged()
  setfsidCall(Syscall.setfsuid, uid | 0)
  return setfsidCall(Syscall.setfsuid, -1) >>> 0 === uid >>> 0 ? 0 : -Errno.EPERM
}

/** setfsgid(2) of the calling thread. Returns 0, or -EPERM. */
export function setFsGid(gid: number): number {
  setfsidCall(Syscall.setfsgid, gid | 0)
  return setfsidCall(Syscall.setfsgid, -1) >>> 0 === gid >>> 0 ? 0 : -Errno.EPERM
}

/** The calling thread's file system ids. */
export function fsIdentity(): { readonly uid: number; readonly gid: number } {
  return {
    uid: setfsidCall(Syscall.setfsuid, -1) >>> 0,
    gid: setfsidCall(Syscall.setfsgid, -1) >>> 0,
  }
}

/** setgroups(2) of the calling thread alone. Needs CAP_SETGID. */
export function setThreadGroups(groups: Uint32Array): number {
  return checked(setgroupsCall(Syscall.setgroups, groups.length, groups))
}

/** Own identity, as {@link actAsSelf} puts it back. Read once: nothing but this file changes it. */
interface Self {
  readonly uid: number
  readonly gid: number
  readonly groups: Uint32Array
}

let self: Self | undefined
let acting = false
let groupsChanged = false

/**
 * Makes the calling thread act on files as a user until {@link actAsSelf}: no `await` in between. `groups`
 * null keeps its own supplementary groups. Going from uid 0 to another the kernel takes the file capabilities
 * (CAP_DAC_OVERRIDE, CAP_FOWNER, CAP_FSETID ...) out of effect. Returns 0; on -errno the thread acts as
 * itself.
 */
export function actAs(uid: number, gid: number, groups: Uint32Array | null): number {
  if (acting) return -Errno.EBUSY
  self ??= { ...fsIdentity(), groups: currentGroups() }
  let result = saveCapabilities()
  if (result < 0) return result
  acting = true
  if (groups !== null) {
    result = setThreadGroups(groups)
    groupsChanged = result === 0
  }
  if (result === 0) result = setFsGid(gid)
  if (result === 0) result = setFsUid(uid)
  if (result !== 0) actAsSelf()
  return result
}

/**
 * Ends {@link actAs}. Coming back to uid 0 the kernel puts every *permitted* file capability into effect
 * again (security/commoncap.c, cap_task_fix_setuid), also one dropped from the effective set before; so the
 * effective set of before is put back as well. Throws when the thread cannot become itself again: it must not
 * go on.
 */
export function actAsSelf(): void {
  if (!acting || self === undefined) return
  let result = setFsUid(self.uid)
  if (result === 0) result = setFsGid(self.gid)
  if (result === 0 && groupsChanged) result = setThreadGroups(self.groups)
  if (result === 0) result = restoreCapabilities()
  // Only what the kernel does on the way back to uid 0 is foreseen.
  if (self.uid !== 0) capabilitiesChanged()
  if (result !== 0) throw new Error(`cannot put back the identity of the thread (errno ${-result})`)
  acting = false
  groupsChanged = false
}
