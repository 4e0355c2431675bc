import { lstatSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Mirror } from './mirror.js'
import type { MirrorOptions } from './options.js'

const PREFIX = 'evermount-rehearsal-'
/** A rehearsal is over, or its process has been ended, long before it is so old. */
const ABANDONED_MS = 60_000

/** A mirror of an empty temporary directory: what a server process warms up with (see session/rehearsal.ts). */
export function createRehearsal(options: MirrorOptions): { createFileSystem(): Mirror; end(): void } {
  removeAbandoned()
  const source = mkdtempSync(join(tmpdir(), PREFIX))
  return {
    createFileSystem: () => new Mirror({ ...options, source, readOnly: false, watch: undefined }),
    end: () => {
      rmSync(source, { recursive: true, force: true })
    },
  }
}

/** Directories of processes of this user that were killed while they rehearsed. */
function removeAbandoned(): void {
  const uid = process.getuid?.()
  for (const name of readdirSync(tmpdir())) {
    if (!name.startsWith(PREFIX)) continue
    const path = join(tmpdir(), name)
    try {
      const found = lstatSync(path)
      if (found.uid !== uid || Date.now() - found.mtimeMs < ABANDONED_MS) continue
      rmSync(path, { recursive: true, force: true })
    } catch {
      // Another process was first.
    }
  }
}
