import { closeSync, openSync } from 'node:fs'
import { ftruncate, lseek, pread, pwrite, SEEK } from '../native/index.js'
import { FuseError } from '../errors/fuse-error.js'

const PIECE = 2 ** 20

/** Copies what there is of a journal to a new file for inspection: the same offsets, and holes where it has none. */
export function keepJournal(journal: number, path: string): void {
  const file = openSync(path, 'w', 0o600)
  try {
    const end = checked('lseek', lseek(journal, 0, SEEK.END))
    checked('ftruncate', ftruncate(file, end))
    const buffer = new Uint8Array(PIECE)
    let at = Number(lseek(journal, 0, SEEK.DATA))
    // ENXIO: there is no data behind this offset.
    while (at >= 0) {
      const hole = checked('lseek', lseek(journal, at, SEEK.HOLE))
      while (at < hole) {
        const length = checked('pread', pread(journal, buffer, 0, Math.min(PIECE, hole - at), at))
        if (length === 0) return
        checked('pwrite', pwrite(file, buffer, 0, length, at))
        at += length
      }
      at = Number(lseek(journal, hole, SEEK.DATA))
    }
  } finally {
    closeSync(file)
  }
}

function checked(syscall: string, result: number | bigint): number {
  const value = Number(result)
  if (value < 0) throw new FuseError('ERR_SYSCALL', { syscall, errno: -value, path: 'the journal' })
  return value
}
