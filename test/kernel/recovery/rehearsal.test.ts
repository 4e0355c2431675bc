import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, describe, expect, it } from 'vitest'
import { mountMirror } from '../../support/evermount.js'
import { requireOrSkip } from '../../support/requirements.js'

const PATIENCE = { interval: 5, timeout: 10_000 }

describe('a server of a mirror rehearses', { timeout: 60_000 }, () => {
  beforeEach((context) => {
    requireOrSkip(context, 'root', 'fuse')
  })

  it('while it serves, where it was needed at once, and else before', async () => {
    await using mirror = await mountMirror()
    const [mount] = readdirSync(mirror.runtimeDirectory)
    const rehearsals = (): string[] =>
      readdirSync(join(mirror.runtimeDirectory, mount!)).filter((name) => name.startsWith('rehearsal-'))
    const isRehearsing = (pid: number): boolean =>
      rehearsals().some((name) => name.startsWith(`rehearsal-${pid}-`))

    const first = (await mirror.status()).pids.server!
    await expect.poll(() => isRehearsing(first), PATIENCE).toBe(true)
    expect(await mirror.sh('echo text > "$MNT/file" && cat "$MNT/file"')).toMatchObject({ stdout: 'text\n' })
    await expect.poll(rehearsals, PATIENCE).toEqual([])

    const { pids } = await mirror.until((status) => status.standbyReady)
    process.kill(first, 'SIGKILL')
    await expect.poll(() => rehearsals().length, PATIENCE).toBe(1)
    expect(isRehearsing(pids.standby!)).toBe(false)
    await expect.poll(rehearsals, PATIENCE).toEqual([])
    expect(await mirror.sh('cat "$MNT/file"')).toMatchObject({ stdout: 'text\n' })
  })
})
