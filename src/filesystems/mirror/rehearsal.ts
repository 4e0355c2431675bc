import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { Mirror } from './mirror.js'
import type { MirrorOptions } from './options.js'

/** With the process's id after it, and a few letters. */
const PREFIX = 'rehearsal-'

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
    const pid = Number.parseInt(name.slice(PREFIX.length), 10)
    if (!existsSync(`/proc/${pid}`)) rmSync(join(place, name), { recursive: true, force: true })
  }
}
