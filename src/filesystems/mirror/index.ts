import { Mirror } from './mirror.js'
import type { MirrorOptions } from './options.js'

export { createRehearsal } from './rehearsal.js'
export { Mirror, type MirrorOptions }
export type { MirrorFile } from './files.js'
export type { MirrorDirectory } from './directories.js'

/** What a server process calls (see FileSystemModule). */
export function createFileSystem(options: MirrorOptions): Mirror {
  return new Mirror(options)
}
