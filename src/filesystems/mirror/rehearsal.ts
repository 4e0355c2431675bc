import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Mirror } from './mirror.js'
import type { MirrorOptions } from './options.js'

/** A mirror of an empty temporary directory: what a server process warms up with (see session/rehearsal.ts). */
export function createRehearsal(options: MirrorOptions): { createFileSystem(): Mirror; end(): void } {
  const source = mkdtempSync(join(tmpdir(), 'evermount-rehearsal-'))
  return {
    createFileSystem: () => new Mirror({ ...options, source, readOnly: false, watch: undefined }),
    end: () => {
      rmSync(source, { recursive: true, force: true })
    },
  }
}
