import { FuseError } from '../errors/fuse-error.js'
import { decodeOutHeader } from './decode-reply.js'
import { InvalEntryFlag } from './flags/io.js'
import { exactBytes, requireBytes, viewOf } from './length-check.js'
import type { Notification } from './notification.js'
import { notifyCodeName } from './notify-code.js'
import type { AnyStruct, Infer } from './struct.js'
import { OutHeader } from './structs/header.js'
import * as notify from './structs/notify.js'
import { readU64 } from './u64.js'

const AT = OutHeader.size

/**
 * Decodes a notification with the strictness of the driver. Total: any bytes give a notification or a thrown
 * FuseError of an ERR_PROTOCOL_* code; names and data are views of `bytes`.
 */
export function decodeNotification(bytes: Uint8Array): Notification {
  const { error, unique } = decodeOutHeader(bytes)
  const code = notifyCodeName(error)
  if (unique !== 0 || code === undefined) throw new FuseError('ERR_PROTOCOL_NOTIFY', { code: error })
  const read = <S extends AnyStruct>(type: S, rest: (value: Infer<S>) => number): Infer<S> => {
    requireBytes(code, AT + type.size, bytes.length)
    const value = type.read(viewOf(bytes), AT) as Infer<S>
    exactBytes(code, AT + type.size + rest(value), bytes.length)
    return value
  }
  const none = (): number => 0
  switch (code) {
    case 'POLL':
      return { code, kh: read(notify.NotifyPollWakeupOut, none).kh }
    case 'INVAL_INODE': {
      const { ino, off, len } = read(notify.NotifyInvalInodeOut, none)
      return { code, nodeid: ino, off, len }
    }
    case 'INVAL_ENTRY': {
      const type = notify.NotifyInvalEntryOut
      const { parent, namelen, flags } = read(type, (value) => value.namelen + 1)
      const expireOnly = (flags & InvalEntryFlag.EXPIRE_ONLY) !== 0
      return { code, parent, name: nameAt(bytes, AT + type.size, namelen), expireOnly }
    }
    case 'STORE': {
      const type = notify.NotifyStoreOut
      const { nodeid, offset } = read(type, (value) => value.size)
      return { code, nodeid, offset, data: bytes.subarray(AT + type.size) }
    }
    case 'RETRIEVE':
      return { code, ...read(notify.NotifyRetrieveOut, none) }
    case 'DELETE': {
      const type = notify.NotifyDeleteOut
      const { parent, child, namelen } = read(type, (value) => value.namelen + 1)
      return { code, parent, child, name: nameAt(bytes, AT + type.size, namelen) }
    }
    case 'RESEND':
    case 'INC_EPOCH':
      exactBytes(code, AT, bytes.length)
      return { code }
    case 'PRUNE': {
      const type = notify.NotifyPruneOut
      const { count } = read(type, (value) => value.count * 8)
      const view = viewOf(bytes)
      const list = AT + type.size
      return { code, nodeids: Array.from({ length: count }, (_, i) => readU64(view, list + i * 8)) }
    }
  }
}

function nameAt(bytes: Uint8Array, at: number, length: number): Uint8Array {
  const name = bytes.subarray(at, at + length)
  const problem = problemOf(name, bytes[at + length])
  if (problem !== null) throw new FuseError('ERR_PROTOCOL_NAME', { what: 'notification', problem })
  return name
}

function problemOf(
  name: Uint8Array,
  after: number | undefined,
): 'empty' | 'nul' | 'slash' | 'unterminated' | null {
  if (name.length === 0) return 'empty'
  if (after !== 0) return 'unterminated'
  if (name.includes(0)) return 'nul'
  return name.includes(0x2f) ? 'slash' : null
}
