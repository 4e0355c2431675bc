import { FuseError } from '../errors/fuse-error.js'
import { CompatSize } from './constants.js'
import { extensionsSize, writeExtensions } from './extensions.js'
import { operations, type NameKind, type Operation } from './operations.js'
import { wireUnique, type Request, type RequestDialect, type UntypedRequest } from './request.js'
import type { AnyStruct } from './struct.js'
import { ForgetOne } from './structs/forget.js'
import { InHeader } from './structs/header.js'
import { RemovemappingOne } from './structs/mapping.js'

/**
 * Encodes a request as the kernel would send it. Throws a FuseError of an ERR_PROTOCOL_* code for what the
 * kernel never sends: names it does not allow, a payload that is not as long as its structure says.
 */
export function encodeRequest(request: Request, dialect: RequestDialect = {}): Uint8Array<ArrayBuffer> {
  const untyped: UntypedRequest = request
  const operation: Operation = operations[request.opcode]
  const payload = payloadBytes(untyped, operation)
  const bodySize =
    operation.opcode === operations.SETXATTR.opcode && dialect.setxattrExt === false
      ? CompatSize.SETXATTR_IN
      : (operation.body?.size ?? 0)
  if (untyped.names.length !== operation.names.length) {
    const context = { what: 'names', stated: operation.names.length, actual: untyped.names.length }
    throw new FuseError('ERR_PROTOCOL_LENGTH', context)
  }
  const namesSize = untyped.names.reduce((sum, name) => sum + name.length + 1, 0)
  if (untyped.extensions !== null && !operation.extensions) {
    throw new FuseError('ERR_PROTOCOL_EXTENSION', { problem: `${operation.name} has none` })
  }
  const extensionLength = untyped.extensions === null ? 0 : extensionsSize(untyped.extensions)
  const length = InHeader.size + bodySize + namesSize + payload.length + extensionLength
  // Room for the whole structure where only its beginning is sent.
  const bytes = new Uint8Array(length + (operation.body?.size ?? 0))
  const view = new DataView(bytes.buffer)

  let at = InHeader.size
  operation.body?.write(view, at, (untyped.body ?? {}) as never)
  at += bodySize
  bytes.fill(0, at)
  untyped.names.forEach((name, i) => {
    checkName(name, operation.names[i] ?? 'any', operation.name)
    bytes.set(name, at)
    at += name.length + 1
  })
  bytes.set(payload, at)
  at += payload.length
  if (untyped.extensions !== null) writeExtensions(untyped.extensions, bytes, view, at)
  const { nodeid, uid, gid, pid } = request.header
  const unique = wireUnique(request.header)
  InHeader.write(view, 0, {
    len: length,
    opcode: operation.opcode,
    unique,
    nodeid,
    uid,
    gid,
    pid,
    totalExtlen: extensionLength / 8,
  })
  return bytes.subarray(0, length)
}

function checkName(name: Uint8Array, kind: NameKind, what: string): void {
  const problem = name.includes(0)
    ? 'nul'
    : name.length === 0 && kind !== 'any'
      ? 'empty'
      : name.includes(0x2f) && kind === 'entry'
        ? 'slash'
        : null
  if (problem !== null) throw new FuseError('ERR_PROTOCOL_NAME', { what, problem })
}

function payloadBytes(request: UntypedRequest, operation: Operation): Uint8Array {
  const counts = (request.body ?? {}) as { size?: number; inSize?: number; count?: number }
  const { payload } = request
  switch (operation.payload) {
    case 'none':
      return new Uint8Array(0)
    case 'data': {
      const data = payload as Uint8Array
      expectCount(operation.name, counts.inSize ?? counts.size ?? 0, data.length)
      return data
    }
    case 'forgets':
      return listBytes(operation.name, ForgetOne, counts.count ?? 0, payload as readonly object[])
    case 'mappings':
      return listBytes(operation.name, RemovemappingOne, counts.count ?? 0, payload as readonly object[])
  }
}

function listBytes(what: string, type: AnyStruct, count: number, items: readonly object[]): Uint8Array {
  expectCount(what, count, items.length)
  const bytes = new Uint8Array(items.length * type.size)
  const view = new DataView(bytes.buffer)
  items.forEach((item, i) => type.write(view, i * type.size, item as never))
  return bytes
}

function expectCount(what: string, stated: number, actual: number): void {
  if (stated !== actual) throw new FuseError('ERR_PROTOCOL_LENGTH', { what, stated, actual })
}
