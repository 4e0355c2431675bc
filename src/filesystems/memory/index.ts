import type { FileSystem } from '../../filesystem/file-system.js'
import { delayed } from './delayed.js'
import { MemoryFileSystem, type MemoryOptions } from './memory.js'

export { delayed, MemoryFileSystem, type MemoryOptions }

/** What a server process calls (see FileSystemModule). `delay`: milliseconds that each operation takes. */
export function createFileSystem(options: MemoryOptions & { readonly delay?: number } = {}): FileSystem {
  const { delay, ...rest } = options
  const fs: FileSystem = new MemoryFileSystem(rest)
  return delay === undefined ? fs : delayed(fs, () => delay)
}
