import { cpSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach } from 'vitest'
import { dist } from './run-child.js'

const root = join(dist, '..')

/**
 * A function that makes a project of its own, compiled, with `dist` in it: its files can be changed, also under a running
 * mount. Removed after the test that asked for it. Call it in a describe block.
 */
export function installedCopies(): () => string {
  const made: string[] = []
  afterEach(() => {
    for (const folder of made.splice(0)) rmSync(folder, { recursive: true })
  })
  return () => {
    const folder = mkdtempSync(join(tmpdir(), 'evm-install-'))
    made.push(folder)
    cpSync(dist, join(folder, 'dist'), { recursive: true })
    cpSync(join(root, 'test/support'), join(folder, 'test/support'), { recursive: true })
    cpSync(join(root, 'package.json'), join(folder, 'package.json'))
    symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
    return folder
  }
}
