import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { evermount, MAIN } from '../support/evermount.js'
import { requireOrSkip } from '../support/requirements.js'
import { runUnshared } from '../support/run-child.js'

interface Doctor {
  readonly usable: boolean
  readonly capabilities: object | null
  readonly checks: { readonly name: string; readonly state: string; readonly remedy?: string }[]
}

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'evm-'))
})
afterEach(() => {
  rmSync(folder, { recursive: true })
})

describe('evermount doctor', { timeout: 30_000 }, () => {
  it('shows one line for each thing, with the state first', async (context) => {
    requireOrSkip(context, 'root', 'fuse')
    const { code, stdout, stderr } = await evermount(['doctor'], folder)
    expect(stderr).toBe('')
    expect(code).toBe(0)
    const lines = stdout.trim().split('\n')
    for (const line of lines) expect(line).toMatch(/^(ok|limited|missing) +\S/)
    for (const name of [
      'Node.js',
      'kernel',
      '/dev/fuse',
      'passthrough',
      'strategy',
      'resend',
      'fusectl',
      'memfd',
    ]) {
      expect(lines.filter((line) => line.split(/ +/)[1] === name)).toHaveLength(1)
    }
  })

  it('fails, with the remedy, where no mount is possible', async (context) => {
    requireOrSkip(context, 'root', 'fuse', 'unshare')
    const script = `mknod ${folder}/fuse c 10 254 && mount --bind ${folder}/fuse /dev/fuse && exec "$@"`
    const doctor = [process.execPath, MAIN, 'doctor', '--json']
    const env = { EVERMOUNT_RUNTIME_DIR: folder }
    const { code, stdout } = await runUnshared('sh', ['-c', script, 'sh', ...doctor], 20_000, env)
    const { usable, capabilities, checks } = JSON.parse(stdout) as Doctor
    expect(usable).toBe(false)
    expect(capabilities).toBeNull()
    expect(checks.filter(({ state }) => state === 'missing')).toEqual([
      expect.objectContaining({
        name: '/dev/fuse',
        remedy: expect.stringContaining('modprobe fuse') as string,
      }),
    ])
    expect(code).toBe(1)
  })
})
