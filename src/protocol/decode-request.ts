import { FuseError } from '../errors/fuse-error.js'
import { readExtensions } from './extensions.js'
import { exactBytes } from './length-check.js'
import type { Operation } from './operations.js'
import type { Request, RequestDialect, UntypedRequest } from './request.js'
import { RequestFrame } from './request-frame.js'
import type { AnyStruct } from './struct.js'
import { ForgetOne } from './structs/forget.js'
import { RemovemappingOne } from './structs/mapping.js'

/**
 * Decodes one request. Total: any bytes give a request or a thrown FuseError of an ERR_PROTOCOL_* code.
 * Stricter than a server must be: bytes beyond what the operation has are refused as well.
 */
export function decodeRequest(bytes: Uint8Array, dialect: RequestDialect = {}): Request {
  const frame = new RequestFrame(bytes, dialect)
  const problem = frame.load(bytes.length)
  if (problem !== null) throw problem
  return readRequest(frame)
}

/** Decodes the request that `frame` has loaded, as {@link decodeRequest} does. */
export function readRequest(frame: RequestFrame): Request {
  const { operation } = frame
  if (operation === undefined) throw new FuseError('ERR_PROTOCOL_OPCODE', { opcode: frame.opcode })
  const body = readBody(frame, operation)
  let at = frame.namesAt
  const names: Uint8Array[] = []
  for (const kind of operation.names) {
    const name = frame.readName(at, kind)
    if (name === null) throw badName(frame, at, operation.name)
    names.push(name)
    at += name.length + 1
  }
  const payload = readPayload(frame, operation, body, at)
  const request: UntypedRequest = {
    opcode: operation.name,
    header: {
      uniqueId: frame.uniqueId,
      resent: frame.resent,
      nodeid: frame.nodeid,
      uid: frame.uid,
      gid: frame.gid,
      pid: frame.pid,
    },
    body,
    names,
    payload,
    extensions: extensionsOf(frame, operation),
  }
  return request as Request
}

function readBody(frame: RequestFrame, operation: Operation): object | null {
  const { body } = operation
  if (body === null) return null
  const have = frame.namesAt - frame.bodyAt
  if (have >= body.size) return body.read(frame.view, frame.bodyAt)
  // An earlier, shorter form of the structure: what it lacks reads as zero.
  const whole = new Uint8Array(body.size)
  whole.set(frame.bytes.subarray(frame.bodyAt, frame.namesAt))
  return body.read(new DataView(whole.buffer), 0)
}

function readPayload(
  frame: RequestFrame,
  operation: Operation,
  body: object | null,
  at: number,
): UntypedRequest['payload'] {
  const have = frame.bodyEnd - at
  const counts = (body ?? {}) as { size?: number; inSize?: number; count?: number }
  switch (operation.payload) {
    case 'none':
      exactBytes(operation.name, 0, have)
      return null
    case 'data': {
      const size = counts.inSize ?? counts.size ?? 0
      exactBytes(operation.name, size, have)
      return frame.bytes.subarray(at, at + size)
    }
    case 'forgets':
      return readList(frame, operation.name, ForgetOne, counts.count ?? 0, at)
    case 'mappings':
      return readList(frame, operation.name, RemovemappingOne, counts.count ?? 0, at)
  }
}

function readList(frame: RequestFrame, what: string, type: AnyStruct, count: number, at: number): object[] {
  exactBytes(what, count * type.size, frame.bodyEnd - at)
  return Array.from({ length: count }, (_, i) => type.read(frame.view, at + i * type.size))
}

function extensionsOf(frame: RequestFrame, operation: Operation): UntypedRequest['extensions'] {
  if (frame.extensionLength === 0) return null
  if (!operation.extensions) {
    throw new FuseError('ERR_PROTOCOL_EXTENSION', { problem: `${operation.name} has none` })
  }
  return readExtensions(frame.bytes, frame.view, frame.bodyEnd, frame.length)
}

function badName(frame: RequestFrame, at: number, what: string): FuseError {
  const end = frame.nameEnd(at, 'any')
  const problem = end < 0 ? 'unterminated' : end === at ? 'empty' : 'slash'
  return new FuseError('ERR_PROTOCOL_NAME', { what, problem })
}
