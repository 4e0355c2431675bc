import type {
  AttributeChanges,
  AttributesAnswer,
  Awaitable,
  ExtendedAttributes,
  FilesystemStatistics,
  Time,
} from '../../filesystem/file-system.js'
import { GetattrFlag, SetattrValid } from '../../protocol/flags/attr.js'
import { AccessIn, AttrOut, GetattrIn, SetattrIn } from '../../protocol/structs/attr.js'
import { StatfsOut } from '../../protocol/structs/statfs.js'
import { StatxIn, StatxOut } from '../../protocol/structs/statx.js'
import { attrOut, nanoseconds, wholeSeconds } from '../encode.js'
import { handler, nothing, type Serving } from '../handler.js'
import type { RequestSlot } from '../request-slot.js'
import { nodeOf, u32, u64, unsupported } from './request.js'

function answerAttributes(serving: Serving, slot: RequestSlot, answer: AttributesAnswer): void {
  slot.reply.struct(AttrOut, attrOut(answer, serving.timeouts))
}

/** The open file that a stat goes through, if this life has it: the node alone serves as well. */
function stateAt(serving: Serving, slot: RequestSlot, given: boolean, offset: number): unknown {
  return given ? serving.files.peek(u64(slot, offset))?.state : undefined
}

export const getattr = handler<AttributesAnswer>({
  call: (serving, slot) => {
    const given = (u32(slot, GetattrIn.offset.getattrFlags) & GetattrFlag.FH) !== 0
    const state = stateAt(serving, slot, given, GetattrIn.offset.fh)
    return serving.fs.getattr(nodeOf(serving, slot), state, slot)
  },
  answer: answerAttributes,
})

export const statx = handler<{ attributes: ExtendedAttributes; attributeTimeout?: number | undefined }>({
  call: (serving, slot) => {
    const { fs } = serving
    if (fs.statx === undefined) unsupported()
    const given = (u32(slot, StatxIn.offset.getattrFlags) & GetattrFlag.FH) !== 0
    const state = stateAt(serving, slot, given, StatxIn.offset.fh)
    const mask = u32(slot, StatxIn.offset.sxMask)
    return fs.statx(nodeOf(serving, slot), state, mask, u32(slot, StatxIn.offset.sxFlags), slot)
  },
  answer: (serving, slot, answer) => {
    const timeout = answer.attributeTimeout ?? serving.timeouts.attributes
    slot.reply.struct(StatxOut, {
      attrValid: wholeSeconds(timeout),
      attrValidNsec: nanoseconds(timeout),
      stat: answer.attributes,
    })
  },
})

/** A file is registered with credentials that go by these (transport/device.ts). */
const OF_CREDENTIALS = SetattrValid.MODE | SetattrValid.UID | SetattrValid.GID

export const setattr = handler<AttributesAnswer>({
  call: (serving, slot): Awaitable<AttributesAnswer> => {
    const { fs } = serving
    if (fs.setattr === undefined) unsupported()
    const request = SetattrIn.read(slot.frame.view, slot.frame.bodyAt)
    const file = (request.valid & SetattrValid.FH) === 0 ? undefined : serving.files.peek(request.fh)
    const node = nodeOf(serving, slot)
    if ((request.valid & OF_CREDENTIALS) !== 0) serving.passthrough.retire(node)
    return fs.setattr(node, changesOf(request), file?.state, slot)
  },
  answer: answerAttributes,
})

function changesOf(request: ReturnType<typeof SetattrIn.read>): AttributeChanges {
  const { valid } = request
  const changes: AttributeChanges = {}
  if (valid & SetattrValid.MODE) changes.mode = request.mode
  if (valid & SetattrValid.UID) changes.uid = request.uid
  if (valid & SetattrValid.GID) changes.gid = request.gid
  if (valid & SetattrValid.SIZE) changes.size = request.size
  if (valid & SetattrValid.ATIME) {
    changes.atime = valid & SetattrValid.ATIME_NOW ? 'now' : time(request.atime, request.atimensec)
  }
  if (valid & SetattrValid.MTIME) {
    changes.mtime = valid & SetattrValid.MTIME_NOW ? 'now' : time(request.mtime, request.mtimensec)
  }
  if (valid & SetattrValid.CTIME) changes.ctime = time(request.ctime, request.ctimensec)
  if (valid & SetattrValid.LOCKOWNER) changes.lockOwner = request.lockOwner
  if (valid & SetattrValid.KILL_SUIDGID) changes.killPrivileges = true
  return changes
}

const time = (seconds: Time['seconds'], nanosecondsPart: number): Time => ({
  seconds,
  nanoseconds: nanosecondsPart,
})

export const access = handler<unknown>({
  call: (serving, slot) => {
    if (serving.fs.access === undefined) unsupported()
    return serving.fs.access(nodeOf(serving, slot), u32(slot, AccessIn.offset.mask), slot)
  },
  answer: nothing,
})

export const statfs = handler<FilesystemStatistics>({
  call: (serving, slot) => {
    if (serving.fs.statfs === undefined) unsupported()
    return serving.fs.statfs(nodeOf(serving, slot), slot)
  },
  answer: (_serving, slot, st) => slot.reply.struct(StatfsOut, { st }),
})

export const syncfs = handler<unknown>({
  call: (serving, slot) => {
    if (serving.fs.syncfs === undefined) unsupported()
    return serving.fs.syncfs(nodeOf(serving, slot), slot)
  },
  answer: nothing,
})
