import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { PassthroughStrategy } from '../passthrough/strategy.js'
import type { DrillGround } from './ground.js'

const FILE = 'file'
const PATIENCE_MS = 15_000

/**
 * The restart trap: a file is open, its server is killed, and somebody opens the file again. What the second open
 * comes to under a strategy: 'ok', or the error's code.
 */
export async function reopenAfterKill(
  ground: DrillGround,
  workspace: string,
  strategy: PassthroughStrategy,
): Promise<string> {
  const name = strategy.name.replaceAll(' ', '-')
  const source = join(workspace, `trap-${name}-source`)
  const mountPoint = join(workspace, `trap-${name}`)
  mkdirSync(source)
  mkdirSync(mountPoint)
  writeFileSync(join(source, FILE), 'sixteen bytes ok')
  const mount = await ground.mount(source, mountPoint, strategy)
  const guard = setTimeout(() => {
    mount.abort()
  }, 2 * PATIENCE_MS)
  try {
    return await mount.holdAndReopen(FILE, async () => {
      await mount.standbyReady(PATIENCE_MS)
      await mount.killServer()
    })
  } finally {
    clearTimeout(guard)
    await mount.unmount()
    rmSync(source, { recursive: true })
  }
}
