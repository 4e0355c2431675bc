import {
  closeSync,
  ftruncateSync,
  linkSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  renameSync,
  rmdirSync,
  statSync,
  unlinkSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import type { Calls } from './calls.js'

/**
 * System calls of this process on a mount of this machine's kernel. Each one blocks until it is answered, so the
 * process must have nothing else to do.
 */
export function kernelCalls(mountPoint: string): Calls {
  const at = (path: string): string => join(mountPoint, path)
  return calls({
    open: (path, mode) => openSync(at(path), mode),
    close: closeSync,
    read: (fd, length, position) => {
      const bytes = new Uint8Array(length)
      return bytes.subarray(0, readSync(fd, bytes, 0, length, position))
    },
    write: (fd, bytes, position) => writeSync(fd, bytes, 0, bytes.length, position),
    truncate: ftruncateSync,
    readFile: (path) => readFileSync(at(path)),
    stat: (path) => {
      statSync(at(path))
    },
    readdir: (path) => readdirSync(at(path)),
    mkdir: (path) => {
      mkdirSync(at(path))
    },
    rmdir: (path) => {
      rmdirSync(at(path))
    },
    rename: (path, newPath) => {
      renameSync(at(path), at(newPath))
    },
    link: (path, newPath) => {
      linkSync(at(path), at(newPath))
    },
    unlink: (path) => {
      unlinkSync(at(path))
    },
  })
}

type Blocking = {
  [K in keyof Calls]: (...args: Parameters<Calls[K]>) => Awaited<ReturnType<Calls[K]>>
}

/** The same calls as promises: what throws rejects. */
function calls(blocking: Blocking): Calls {
  const wrapped = Object.entries(blocking).map(([name, call]) => [
    name,
    // eslint-disable-next-line @typescript-eslint/require-await -- so that a throw becomes a rejection
    async (...args: unknown[]) => (call as (...args: unknown[]) => unknown)(...args),
  ])
  return Object.fromEntries(wrapped) as Calls
}
