import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { release, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { KernelCapabilities } from '../../src/passthrough/capabilities.js'
import { requireOrSkip } from '../support/requirements.js'
import { runChild, type ChildResult, runUnshared } from '../support/run-child.js'

const script = new URL('./children/probe.mjs', import.meta.url)

interface Found {
  readonly capabilities?: KernelCapabilities
  readonly code?: string
  readonly remedy?: string
  readonly during: number
  readonly after: number
}

function found({ code, stdout, stderr }: ChildResult): Found {
  expect(stderr).toBe('')
  expect(code).toBe(0)
  return JSON.parse(stdout) as Found
}

let folder: string
/** What the probe takes for the folder for temporary files. */
let temporary: string

/** Runs the probe where `preparation` (a shell script) has changed the tree of mounts. */
function probeAfter(preparation: string, prefix = ''): Promise<ChildResult> {
  const command = `${preparation}\nexec ${prefix} "$1" "$2"`
  const args = ['-ec', command, 'sh', process.execPath, fileURLToPath(script)]
  return runUnshared('sh', args, 20_000, { TMPDIR: temporary })
}

describe('the probe', () => {
  beforeEach((context) => {
    requireOrSkip(context, 'root', 'fuse', 'unshare')
    folder = mkdtempSync(join(tmpdir(), 'evm-'))
    temporary = join(folder, 'tmp')
    mkdirSync(temporary)
    chmodSync(folder, 0o755)
    chmodSync(temporary, 0o1777)
  })
  afterEach(() => {
    rmSync(folder, { recursive: true, force: true })
  })

  it('finds out what the kernel can do, unseen, and leaves nothing behind', { timeout: 20_000 }, async () => {
    const { capabilities, during, after } = found(await runChild(script, [], 10_000, { TMPDIR: temporary }))
    expect(capabilities).toBeDefined()
    const { minor, resend, passthrough } = capabilities!
    const [major = 0, second = 0] = release().split('.').map(Number)
    const modern = major > 6 || (major === 6 && second >= 9)
    expect(minor).toBeGreaterThanOrEqual(modern ? 40 : 31)
    expect(resend).toBe(modern)
    if (modern)
      expect({ passthrough, problem: capabilities?.passthroughProblem }).toEqual({ passthrough: true })
    expect([during, after]).toEqual([0, 0])
    expect(readdirSync(temporary)).toEqual([])
  })

  it('is given up at its deadline', { timeout: 20_000 }, async () => {
    const { capabilities } = found(await runChild(script, ['{"deadlineMs":1}']))
    expect(capabilities).toMatchObject({ minor: 0, passthrough: false, inodeCache: false, closeAll: false })
    expect(capabilities?.passthroughProblem).toMatch(/did not end within 1 ms/)
  })

  it('tells the remedy where there is no device', { timeout: 20_000 }, async () => {
    // A character device that no driver answers for.
    const { code, remedy } = found(
      await probeAfter(`mknod ${folder}/fuse c 10 254; mount --bind ${folder}/fuse /dev/fuse`),
    )
    expect(code).toBe('ERR_NO_DEVICE')
    expect(remedy).toMatch(/modprobe fuse/)
  })

  it('asks through fusermount3 without privilege', { timeout: 20_000 }, async (context) => {
    requireOrSkip(context, 'fusermount3')
    const node = `mknod -m 666 ${folder}/fuse c 10 229; mount --bind ${folder}/fuse /dev/fuse`
    const user = 'setpriv --reuid=65534 --regid=65534 --clear-groups --inh-caps=-all'
    const { capabilities, after } = found(await probeAfter(node, user))
    expect(capabilities).toMatchObject({
      passthrough: false,
      passthroughProblem: expect.stringMatching(/privilege/) as string,
    })
    expect(capabilities?.minor).toBeGreaterThanOrEqual(31)
    expect(after).toBe(0)
    expect(readdirSync(temporary)).toEqual([])
  })
})
