import { Errno } from '../../errors/errno.js'
import { InvalEntryFlag } from '../../protocol/flags/io.js'
import { viewOf } from '../../protocol/length-check.js'
import { notifyCodeName, type NotifyCodeName } from '../../protocol/notify-code.js'
import type { AnyStruct, Infer } from '../../protocol/struct.js'
import { OutHeader } from '../../protocol/structs/header.js'
import * as notify from '../../protocol/structs/notify.js'
import { readU64, type U64 } from '../../protocol/u64.js'
import type { KernelProfile } from '../profile.js'
import type { RuleLog } from '../rules.js'
import type { NotificationTarget } from './notification-target.js'

const AT = OutHeader.size

export interface NotifyCircumstances {
  readonly profile: KernelProfile
  readonly nameMax: number
  readonly maxWrite: number
  readonly target: NotificationTarget | undefined
  readonly resend: () => void
  /** Queues a NOTIFY_REPLY. */
  readonly sendRetrieved: (unique: U64, nodeid: U64, offset: U64, data: Uint8Array) => number
  readonly log: RuleLog
}

/**
 * Carries out what a server wrote with unique 0 (fuse_notify, fs/fuse/dev.c): 0 or a negated errno, a promise where it
 * waits for a lock.
 */
export function carryOut(bytes: Uint8Array, circumstances: NotifyCircumstances): number | Promise<number> {
  const { error } = OutHeader.read(viewOf(bytes), 0)
  const { log, profile, resend } = circumstances
  const code = notifyCodeName(error)
  if (code === undefined || profile.missingNotifications.includes(code)) return malformed(log)
  if (code === 'RESEND') {
    resend()
    return 0
  }
  const result = dispatch(code, bytes, circumstances)
  if (typeof result === 'number') return noted(result, log)
  return result.then((settled) => noted(settled, log))
}

function noted(result: number, log: RuleLog): number {
  if (result === -Errno.ENAMETOOLONG) log.met('N4')
  if (result === -Errno.ENOENT) log.met('N5')
  return result
}

function malformed(log: RuleLog): number {
  log.met('N3')
  return -Errno.EINVAL
}

/** Once the mount is gone no node is known. */
const gone: NotificationTarget = {
  poll: () => 0,
  invalidateInode: () => -Errno.ENOENT,
  invalidateEntry: () => -Errno.ENOENT,
  deleteEntry: () => -Errno.ENOENT,
  store: () => -Errno.ENOENT,
  retrieve: () => -Errno.ENOENT,
  incrementEpoch: () => undefined,
  prune: () => undefined,
}

function dispatch(
  code: Exclude<NotifyCodeName, 'RESEND'>,
  bytes: Uint8Array,
  circumstances: NotifyCircumstances,
): number | Promise<number> {
  const { maxWrite, nameMax, sendRetrieved, target = gone, log } = circumstances
  switch (code) {
    case 'POLL': {
      const out = readPart(bytes, notify.NotifyPollWakeupOut, 0)
      return out === undefined ? malformed(log) : target.poll(out.kh)
    }
    case 'INVAL_INODE': {
      const out = readPart(bytes, notify.NotifyInvalInodeOut, 0)
      return out === undefined ? malformed(log) : target.invalidateInode(out.ino, out.off, out.len)
    }
    case 'INVAL_ENTRY': {
      const type = notify.NotifyInvalEntryOut
      const out = readPart(bytes, type)
      if (out === undefined) return malformed(log)
      const name = readName(bytes, AT + type.size, out.namelen, nameMax, log)
      if (typeof name === 'number') return name
      return target.invalidateEntry(out.parent, name, (out.flags & InvalEntryFlag.EXPIRE_ONLY) !== 0)
    }
    case 'DELETE': {
      const type = notify.NotifyDeleteOut
      const out = readPart(bytes, type)
      if (out === undefined) return malformed(log)
      const name = readName(bytes, AT + type.size, out.namelen, nameMax, log)
      return typeof name === 'number' ? name : target.deleteEntry(out.parent, out.child, name)
    }
    case 'STORE': {
      const type = notify.NotifyStoreOut
      const out = readPart(bytes, type)
      if (out === undefined || bytes.length !== AT + type.size + out.size) return malformed(log)
      return target.store(out.nodeid, out.offset, bytes.subarray(AT + type.size))
    }
    case 'RETRIEVE': {
      const out = readPart(bytes, notify.NotifyRetrieveOut, 0)
      if (out === undefined) return malformed(log)
      const { notifyUnique, nodeid, offset, size } = out
      const data = target.retrieve(nodeid, offset, Math.min(size, maxWrite))
      if (typeof data === 'number') return data
      log.met('N6')
      return sendRetrieved(notifyUnique, nodeid, offset, data)
    }
    case 'INC_EPOCH':
      target.incrementEpoch()
      return 0
    case 'PRUNE': {
      const type = notify.NotifyPruneOut
      const out = readPart(bytes, type)
      const list = AT + type.size
      if (out === undefined || bytes.length !== list + out.count * 8) return malformed(log)
      const view = viewOf(bytes)
      for (let at = list; at < bytes.length; at += 8) target.prune(readU64(view, at))
      return 0
    }
  }
}

/** The structure after the header; undefined if it is not all there, or more than `rest` bytes follow it. */
function readPart<S extends AnyStruct>(bytes: Uint8Array, type: S, rest?: number): Infer<S> | undefined {
  const follow = bytes.length - AT - type.size
  if (follow < 0 || (rest !== undefined && follow !== rest)) return undefined
  return type.read(viewOf(bytes), AT) as Infer<S>
}

/** The name, which a byte follows; or a negated errno. */
function readName(
  bytes: Uint8Array,
  at: number,
  length: number,
  nameMax: number,
  log: RuleLog,
): Uint8Array | number {
  if (length > nameMax) return -Errno.ENAMETOOLONG
  return bytes.length === at + length + 1 ? bytes.subarray(at, at + length) : malformed(log)
}
