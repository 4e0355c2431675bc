import { SetattrValid } from '../../src/protocol/flags/attr.js'
import { WriteFlag } from '../../src/protocol/flags/io.js'
import type { Request } from '../../src/protocol/request.js'
import { timeView } from '../client/stat-view.js'
import type { LoggedRequest } from '../outcome.js'

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1')

/**
 * What of a request the kernels must agree on. Left out: `unique` and pids; lock owners, which are hashes of
 * addresses; the present time in SETATTR.
 */
export function describe(request: Request): LoggedRequest {
  const { header, names } = request
  return {
    opcode: request.opcode,
    nodeid: Number(header.nodeid),
    ...(header.resent ? { resent: true as const } : {}),
    ...(header.uid === 0 ? {} : { uid: header.uid }),
    ...(header.gid === 0 ? {} : { gid: header.gid }),
    ...(names.length === 0 ? {} : { names: names.map(text) }),
    ...fieldsOf(request),
  }
}

function fieldsOf(request: Request): Record<string, unknown> {
  switch (request.opcode) {
    case 'INIT': {
      const { major, minor, flags, flags2 } = request.body
      return { major, minor, flags, flags2 }
    }
    case 'FORGET':
      return { nlookup: Number(request.body.nlookup) }
    case 'BATCH_FORGET':
      return { forgets: request.payload.map(({ nodeid, nlookup }) => [Number(nodeid), Number(nlookup)]) }
    case 'SETATTR':
      return setattrFields(request.body)
    case 'OPEN':
    case 'OPENDIR':
      return { flags: request.body.flags, openFlags: request.body.openFlags }
    case 'CREATE':
    case 'TMPFILE': {
      const { flags, mode, umask, openFlags } = request.body
      return { flags, mode, umask, openFlags }
    }
    case 'READ':
    case 'READDIR':
    case 'READDIRPLUS': {
      const { fh, offset, size, readFlags, flags } = request.body
      return { fh: Number(fh), offset: Number(offset), size, readFlags, flags }
    }
    case 'WRITE': {
      const { fh, offset, size, writeFlags, flags } = request.body
      const data = text(request.payload)
      // A delayed write is sent with any handle that is open for writing.
      const handle = writeFlags & WriteFlag.CACHE ? {} : { fh: Number(fh) }
      return { ...handle, offset: Number(offset), size, writeFlags, flags, data }
    }
    case 'RELEASE':
    case 'RELEASEDIR': {
      const { fh, flags, releaseFlags } = request.body
      return { fh: Number(fh), flags, releaseFlags }
    }
    case 'FLUSH':
      return { fh: Number(request.body.fh) }
    case 'SETLK':
    case 'SETLKW':
    case 'GETLK': {
      const { start, end, type } = request.body.lk
      return { start: Number(start), end: String(end), type, lkFlags: request.body.lkFlags }
    }
    case 'SETXATTR':
      return { value: text(request.payload), flags: request.body.flags }
    case 'INTERRUPT':
      return {}
    case 'NOTIFY_REPLY':
      return { offset: Number(request.body.offset), data: text(request.payload) }
    default:
      return numbersOf(request.body)
  }
}

function setattrFields(body: (Request & { opcode: 'SETATTR' })['body']): Record<string, unknown> {
  const { valid } = body
  const has = (bit: number): boolean => (valid & bit) !== 0
  return {
    valid,
    ...(has(SetattrValid.FH) ? { fh: Number(body.fh) } : {}),
    ...(has(SetattrValid.SIZE) ? { size: Number(body.size) } : {}),
    ...(has(SetattrValid.MODE) ? { mode: body.mode } : {}),
    ...(has(SetattrValid.UID) ? { owner: body.uid } : {}),
    ...(has(SetattrValid.GID) ? { group: body.gid } : {}),
    ...(has(SetattrValid.MTIME) && !has(SetattrValid.MTIME_NOW)
      ? { mtime: timeView(Number(body.mtime)) }
      : {}),
  }
}

function numbersOf(body: object | null): Record<string, unknown> {
  return Object.fromEntries(Object.entries(body ?? {}).map(([field, value]) => [field, Number(value)]))
}
