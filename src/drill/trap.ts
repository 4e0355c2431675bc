import { spawn } from 'node:child_process'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { KernelCapabilities } from '../passthrough/capabilities.js'
import type { PassthroughStrategy } from '../passthrough/strategy.js'
import { DrillMount } from './drill-mount.js'

/**
 * Opens a file and holds it; at a line on standard input opens it once more and says how that went: `ok` when both
 * descriptors read the same, else the error's code. Runs in a process of its own, as all that touches a mount.
 */
const HOLDER = `
const fs = require('node:fs')
const held = fs.openSync(process.argv[1], 'r')
console.log('held')
process.stdin.once('data', () => {
  let result = 'ok'
  try {
    const again = fs.openSync(process.argv[1], 'r')
    const a = Buffer.alloc(16), b = Buffer.alloc(16)
    fs.readSync(held, a, 0, 16, 0)
    fs.readSync(again, b, 0, 16, 0)
    if (!a.equals(b) || a[0] === 0) result = 'wrong data'
    fs.closeSync(again)
  } catch (error) {
    result = error.code
  }
  fs.closeSync(held)
  console.log(result)
  process.exit(0)
})
`

/**
 * The restart trap: a file is open, its server is killed, and somebody opens the file again. What the second open
 * comes to under a strategy: 'ok', or the error's code.
 */
export async function reopenAfterKill(
  workspace: string,
  capabilities: KernelCapabilities,
  strategy: PassthroughStrategy['name'],
): Promise<string> {
  const name = strategy.replaceAll(' ', '-')
  const source = join(workspace, `trap-${name}-source`)
  const mountPoint = join(workspace, `trap-${name}`)
  mkdirSync(source)
  mkdirSync(mountPoint)
  writeFileSync(join(source, 'file'), 'sixteen bytes ok')
  const mount = await DrillMount.mount(source, mountPoint, capabilities, strategy)
  const guard = setTimeout(() => {
    mount.abort()
  }, 30_000)
  try {
    const holder = spawn(process.execPath, ['-e', HOLDER, join(mountPoint, 'file')], {
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    const lines = createInterface({ input: holder.stdout })[Symbol.asyncIterator]()
    await lines.next()
    await mount.killServer((await mount.standbyReady(15_000)) ?? (await mount.status()))
    holder.stdin.end('again\n')
    const answer = await lines.next()
    return answer.done === true ? 'holder died' : answer.value
  } finally {
    clearTimeout(guard)
    await mount.unmount()
    rmSync(source, { recursive: true })
  }
}
