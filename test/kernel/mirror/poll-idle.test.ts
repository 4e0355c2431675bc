import { closeSync, openSync, readSync, readdirSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, describe, expect, it } from 'vitest'
import { mountMirror } from '../../support/evermount.js'
import { requireOrSkip } from '../../support/requirements.js'

const DEVICE = '/dev/cpu_dma_latency'
/** include/linux/pm_qos.h, PM_QOS_CPU_LATENCY_DEFAULT_VALUE. */
const NO_LIMIT = 2_000_000_000

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
    requireOrSkip(context, 'root', 'fuse')
  })

  it('are kept awake while a client asks without pause, and no longer', async () => {
    await using mirror = await mountMirror({
      args: ['--poll-idle', 'always', '--attr-timeout', '0', '--entry-timeout', '0'],
    })
    const { pids } = await mirror.status()
    expect(hasOpen(pids.server!, DEVICE)).toBe(true)
    const busy = mirror.sh('for i in $(seq 3000); do [ -e "$MNT/none$i" ]; done; true')
    await expect.poll(limit, { interval: 5, timeout: 5_000 }).toBe(0)
    expect(await busy).toMatchObject({ code: 0 })
    await expect.poll(limit, { interval: 5, timeout: 10_000 }).toBe(NO_LIMIT)
  })

  it('sleep as they like when told so', async () => {
    await using mirror = await mountMirror({ args: ['--poll-idle', 'never'] })
    const { pids } = await mirror.status()
    expect(hasOpen(pids.server!, DEVICE)).toBe(false)
  })
})
