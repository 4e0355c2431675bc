import { FuseError } from '../errors/fuse-error.js'
import { InvalEntryFlag } from './flags/io.js'
import { NotifyCode } from './notify-code.js'
import type { Notification } from './notification.js'
import type { AnyStruct } from './struct.js'
import { OutHeader } from './structs/header.js'
import * as notify from './structs/notify.js'
import { writeU64 } from './u64.js'

const EMPTY: Uint8Array = new Uint8Array(0)

/** Encodes a notification: an out header with `unique` 0 and the code in `error`, its structure and its data. */
export function encodeNotification(notification: Notification): Uint8Array<ArrayBuffer> {
  const code = NotifyCode[notification.code]
  switch (notification.code) {
    case 'POLL':
      return frame(code, notify.NotifyPollWakeupOut, { kh: notification.kh })
    case 'INVAL_INODE': {
      const { nodeid: ino, off, len } = notification
      return frame(code, notify.NotifyInvalInodeOut, { ino, off, len })
    }
    case 'INVAL_ENTRY': {
      const { parent, name, expireOnly } = notification
      const flags = expireOnly ? InvalEntryFlag.EXPIRE_ONLY : 0
      const value = { parent, namelen: name.length, flags }
      return frame(code, notify.NotifyInvalEntryOut, value, terminated(name))
    }
    case 'STORE': {
      const { nodeid, offset, data } = notification
      return frame(code, notify.NotifyStoreOut, { nodeid, offset, size: data.length }, data)
    }
    case 'RETRIEVE': {
      const { notifyUnique, nodeid, offset, size } = notification
      return frame(code, notify.NotifyRetrieveOut, { notifyUnique, nodeid, offset, size })
    }
    case 'DELETE': {
      const { parent, child, name } = notification
      return frame(code, notify.NotifyDeleteOut, { parent, child, namelen: name.length }, terminated(name))
    }
    case 'RESEND':
    case 'INC_EPOCH':
      return frame(code, null, null)
    case 'PRUNE': {
      const { nodeids } = notification
      const list = new Uint8Array(nodeids.length * 8)
      const view = new DataView(list.buffer)
      nodeids.forEach((nodeid, i) => writeU64(view, i * 8, nodeid))
      return frame(code, notify.NotifyPruneOut, { count: nodeids.length }, list)
    }
  }
}

function terminated(name: Uint8Array): Uint8Array {
  const problem =
    name.length === 0 ? 'empty' : name.includes(0) ? 'nul' : name.includes(0x2f) ? 'slash' : null
  if (problem !== null) throw new FuseError('ERR_PROTOCOL_NAME', { what: 'notification', problem })
  const bytes = new Uint8Array(name.length + 1)
  bytes.set(name)
  return bytes
}

function frame(
  code: number,
  type: AnyStruct | null,
  value: object | null,
  data: Uint8Array = EMPTY,
): Uint8Array<ArrayBuffer> {
  const bodySize = type?.size ?? 0
  const bytes = new Uint8Array(OutHeader.size + bodySize + data.length)
  const view = new DataView(bytes.buffer)
  OutHeader.write(view, 0, { len: bytes.length, error: code, unique: 0 })
  type?.write(view, OutHeader.size, value as never)
  bytes.set(data, OutHeader.size + bodySize)
  return bytes
}
