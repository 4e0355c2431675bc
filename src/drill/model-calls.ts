import { constants } from 'node:fs'
import type { Process } from '../kernel-model/index.js'
import type { Calls, OpenMode } from './calls.js'

const { O_APPEND, O_CREAT, O_EXCL, O_RDONLY, O_RDWR, O_TRUNC, O_WRONLY } = constants

const FLAGS: Readonly<Record<OpenMode, number>> = {
  r: O_RDONLY,
  'r+': O_RDWR,
  'w+': O_RDWR | O_CREAT | O_TRUNC,
  a: O_WRONLY | O_CREAT | O_APPEND,
  wx: O_WRONLY | O_CREAT | O_EXCL,
}
const PIECE = 1 << 20

/** System calls of a process of the modelled kernel. */
export function modelCalls(process: Process): Calls {
  return {
    open: (path, mode) => process.open(path, FLAGS[mode], 0o666),
    close: (fd) => process.close(fd),
    read: (fd, length, position) => process.pread(fd, length, position),
    write: (fd, bytes, position) =>
      position === null ? process.write(fd, bytes) : process.pwrite(fd, bytes, position),
    truncate: (fd, size) => process.ftruncate(fd, size),
    readFile: (path) => readFile(process, path),
    stat: async (path) => {
      await process.stat(path)
    },
    readdir: async (path) => {
      const entries = await process.readdir(path)
      return entries.map(({ name }) => Buffer.from(name).toString())
    },
    mkdir: (path) => process.mkdir(path, 0o777),
    rmdir: (path) => process.rmdir(path),
    rename: (path, newPath) => process.rename(path, newPath),
    link: (path, newPath) => process.link(path, newPath),
    unlink: (path) => process.unlink(path),
  }
}

async function readFile(process: Process, path: string): Promise<Uint8Array> {
  const fd = await process.open(path, O_RDONLY)
  try {
    const pieces: Uint8Array[] = []
    for (;;) {
      const piece = await process.read(fd, PIECE)
      if (piece.length === 0) return Buffer.concat(pieces)
      pieces.push(piece)
    }
  } finally {
    await process.close(fd)
  }
}
