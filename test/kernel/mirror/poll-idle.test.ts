import { closeSync, openSync, readSync, readdirSync, readlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, describe, expect, it } from 'vitest'
import { isWorthWhile } from '../../../src/recovery/processor-sleep.js'
import { mountMirror } from '../../support/evermount.js'
import { requireOrSkip } from '../../support/requirements.js'

const DEVICE = '/dev/cpu_dma_latency'
/** include/linux/pm_qos.h, PM_QOS_CPU_LATENCY_DEFAULT_VALUE. */
const NO_LIMIT = 2_000_000_000
/** Others on this machine may ask for it as well: what is awaited comes in a moment when they do not. */
const PATIENCE = { interval: 5, timeout: 8_000 }
const BUSY = ['--poll-idle', 'always', '--attr-timeout', '0', '--entry-timeout', '0']

/** Asks without pause until the source has a file `stop`. */
const ASKING = 'until [ -e "$SRC/stop" ]; do [ -e "$MNT/none" ] || true; done'

/** What all who have opened the device ask for together, in microseconds. */
function limit(): number {
  const fd = openSync(DEVICE, 'r')
  try {
    const bytes = Buffer.alloc(4)
    readSync(fd, bytes)
    return bytes.readInt32LE()
  } finally {
    closeSync(fd)
  }
}

function hasOpen(pid: number, path: string): boolean {
  const directory = `/proc/${pid}/fd`
  return readdirSync(directory).some((fd) => {
    try {
      return readlinkSync(join(directory, fd)) === path
    } catch {
      return false
    }
  })
}

describe('idle processors', { timeout: 60_000 }, () => {
  beforeEach((context) => {
    requireOrSkip(context, 'root', 'fuse', 'cpuLatency')
  })

  it('are kept awake while a client asks without pause, and no longer', async () => {
    await using mirror = await mountMirror({ args: BUSY })
    const { pids } = await mirror.status()
    expect(hasOpen(pids.server!, DEVICE)).toBe(true)
    const busy = mirror.sh(ASKING)
    await expect.poll(limit, PATIENCE).toBe(0)
    writeFileSync(join(mirror.source, 'stop'), '')
    expect(await busy).toMatchObject({ code: 0 })
    await expect.poll(limit, PATIENCE).toBe(NO_LIMIT)
  })

  it('may sleep when the server is stopped in the midst of its work, before it is taken for stuck', async () => {
    await using mirror = await mountMirror({ args: BUSY })
    const { pids } = await mirror.status()
    const busy = mirror.sh(ASKING)
    await expect.poll(limit, PATIENCE).toBe(0)
    process.kill(pids.server!, 'SIGSTOP')
    try {
      await expect.poll(limit, PATIENCE).toBe(NO_LIMIT)
      expect((await mirror.status()).pids.server).toBe(pids.server)
    } finally {
      process.kill(pids.server!, 'SIGCONT')
      writeFileSync(join(mirror.source, 'stop'), '')
    }
    expect(await busy).toMatchObject({ code: 0 })
  })

  it('sleep as they like when told so', async () => {
    await using mirror = await mountMirror({ args: ['--poll-idle', 'never'] })
    const { pids } = await mirror.status()
    expect(hasOpen(pids.server!, DEVICE)).toBe(false)
  })
})

describe('by itself', () => {
  it.each([
    ['haltpoll', 2, true],
    ['haltpoll', 4, true],
    ['haltpoll', 5, false],
    ['intel_idle', 2, false],
    ['none', 2, false],
  ])('a server on %s with %i processors keeps them awake: %s', (driver, processors, expected) => {
    expect(isWorthWhile(driver, processors)).toBe(expected)
  })
})
