import { lstatSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { Mirror } from './mirror.js'
import type { MirrorOptions } from './options.js'

const PREFIX = 'rehearsal-'
/** A rehearsal is over, or its process has been ended, long before it is so old. */
const ABANDONED_MS = 60_000

/**
 * A mirror of an empty directory in `place`: what a server process warms up with (see session/rehearsal.ts). `place` must
 * not be on the mount, whose server would wait for itself.
 */
export function createRehearsal(
  options: MirrorOptions,
  place: string,
): { createFileSystem(): Mirror; end(): void } {
  removeAbandoned(place)
  const source = mkdtempSync(join(place, `${PREFIX}${process.pid}-`))
  return {
    createFileSystem: () => new Mirror({ ...options, source, readOnly: false, watch: undefined }),
    end: () => {
      rmSync(source, { recursive: true, force: true })
    },
  }
}

/** Directories of processes that were killed while they rehearsed. */
function removeAbandoned(place: string): void {
  for (const name of readdirSync(place)) {
    if (!name.startsWith(PREFIX)) continue
    const path = join(place, name)
    try {
      if (Date.now() - lstatSync(path).mtimeMs < ABANDONED_MS) continue
      rmSync(path, { recursive: true, force: true })
    } catch {
      // Another process was first.
    }
  }
}
