// The fewest answers that make a FUSE mount usable: an empty directory. Written byte by byte, apart from src/protocol.

/** Name length that statfs shows: tells that an answer came from here. */
export const NAME_LENGTH = 123

/** @param {bigint} unique @param {number} bytes @param {number} error */
function answer(unique, bytes, error = 0) {
  const buffer = new Uint8Array(16 + bytes)
  const view = new DataView(buffer.buffer)
  view.setUint32(0, buffer.length, true)
  view.setInt32(4, error, true)
  view.setBigUint64(8, unique, true)
  return { buffer, view }
}

/**
 * The answer to a request, or undefined where none is expected (FORGET, BATCH_FORGET, INTERRUPT).
 * @param {Uint8Array} request
 * @param {{ flags?: number, flags2?: number, maxStackDepth?: number }} init what INIT answers
 */
export function answerTo(request, init = {}) {
  const view = new DataView(request.buffer, request.byteOffset)
  const opcode = view.getUint32(4, true)
  const unique = view.getBigUint64(8, true)
  if (opcode === 2 || opcode === 42 || opcode === 36) return undefined
  if (opcode === 26) {
    const { buffer, view: out } = answer(unique, 64)
    out.setUint32(16, 7, true)
    out.setUint32(20, Math.min(view.getUint32(44, true), 45), true)
    out.setUint32(24, 1 << 17, true) // max_readahead
    out.setUint32(28, init.flags ?? 0, true)
    out.setUint16(32, 16, true) // max_background
    out.setUint16(34, 12, true)
    out.setUint32(36, 1 << 17, true) // max_write
    out.setUint32(40, 1, true) // time_gran
    out.setUint16(44, 32, true) // max_pages
    out.setUint32(48, init.flags2 ?? 0, true)
    out.setUint32(52, init.maxStackDepth ?? 0, true)
    return buffer
  }
  if (opcode === 17) {
    const { buffer, view: out } = answer(unique, 80)
    out.setUint32(16 + 40, 4096, true) // bsize
    out.setUint32(16 + 44, NAME_LENGTH, true)
    out.setUint32(16 + 48, 4096, true) // frsize
    return buffer
  }
  if (opcode === 3) {
    const { buffer, view: out } = answer(unique, 104)
    out.setBigUint64(16 + 16, 1n, true) // ino
    out.setUint32(16 + 16 + 60, 0o040755, true)
    out.setUint32(16 + 16 + 64, 2, true) // nlink
    return buffer
  }
  if (opcode === 27 || opcode === 34) return answer(unique, opcode === 27 ? 16 : 0).buffer // OPENDIR, ACCESS
  if (opcode === 28 || opcode === 29 || opcode === 25 || opcode === 38) return answer(unique, 0).buffer
  if (opcode === 1) return answer(unique, 0, -2).buffer // LOOKUP: ENOENT
  return answer(unique, 0, -38).buffer
}
