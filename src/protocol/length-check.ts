import { FuseError } from '../errors/fuse-error.js'

/** ERR_PROTOCOL_TRUNCATED when fewer than `need` bytes are there. */
export function requireBytes(what: string, need: number, have: number): void {
  if (have < need) throw new FuseError('ERR_PROTOCOL_TRUNCATED', { what, need, have })
}

/** ERR_PROTOCOL_TRAILING when more than `limit` bytes are there. */
export function limitBytes(what: string, limit: number, have: number): void {
  if (have > limit) throw new FuseError('ERR_PROTOCOL_TRAILING', { what, extra: have - limit })
}

/** Both: exactly `size` bytes. */
export function exactBytes(what: string, size: number, have: number): void {
  requireBytes(what, size, have)
  limitBytes(what, size, have)
}

/** A view of the same bytes. */
export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
