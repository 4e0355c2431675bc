import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, describe, expect, it } from 'vitest'
import { O } from '../../../src/native/index.js'
import { isRunning, isStopped } from '../../support/evermount.js'
import { installedCopies } from '../../support/installed-copy.js'
import { requireOrSkip } from '../../support/requirements.js'
import { superviseMirror, type SupervisedMirrorOptions } from '../../support/supervised-mirror.js'

/** Takes a server that stands still for one that can do nothing any more. */
const FENCES_NOTHING = `
import { readFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
export async function fenced(pid) {
  try {
    for (;;) {
      const stat = readFileSync('/proc/' + pid + '/stat', 'latin1')
      if (stat.slice(stat.lastIndexOf(')') + 2).startsWith('T')) return true
      await delay(5)
    }
  } catch {
    return false
  }
}
`

/** Lets go of the device once the first server has it: its number stands for something else from then on. */
const HOLDS_NOTHING = `
import { openSync } from 'node:fs'
import { close } from '../native/index.js'
import { ServerProcess } from './server-process-as-it-is.js'
const spawn = ServerProcess.spawn
ServerProcess.spawn = (resources, kept) => {
  const server = spawn.call(ServerProcess, resources, kept)
  ServerProcess.spawn = spawn
  close(resources.device)
  while (openSync('/dev/null', 'r') !== resources.device);
  return server
}
export { ServerProcess }
`

/** Protections of recovery that only the real kernel can do without: each is taken away, and missed. */
describe('without a protection', { timeout: 120_000 }, () => {
  beforeEach((context) => {
    requireOrSkip(context, 'root', 'fuse')
  })
  const install = installedCopies()

  /** A project in which the supervisor is without one. */
  const without = (protection: 'fencing' | 'hold of the device'): SupervisedMirrorOptions => {
    const dist = join(install(), 'dist')
    const file = join(dist, 'recovery', protection === 'fencing' ? 'fence.js' : 'server-process.js')
    if (protection === 'fencing') writeFileSync(file, FENCES_NOTHING)
    else {
      renameSync(file, join(dist, 'recovery/server-process-as-it-is.js'))
      writeFileSync(file, HOLDS_NOTHING)
    }
    return { dist }
  }

  /** What a file holds after a server stopped in the midst of cutting it off, another served, and the first went on. */
  const lateTruncation = async (options: SupervisedMirrorOptions): Promise<string> => {
    await using mirror = await superviseMirror({ passthrough: false, stuckAfterMs: 1_000, ...options })
    const file = join(mirror.source, 'f')
    const contents = (): string => readFileSync(file, 'latin1')
    writeFileSync(file, 'of old')
    const client = mirror.client()
    await client.do('open', 'h', 'f', O.RDWR)
    const first = (await mirror.ready()).pids.server!
    try {
      mirror.arm('setattr.before', 'stop')
      await client.do('truncate', 'f', 0)
      expect(await client.do('write', 'h', 'written since', 0)).toBe(13)
      expect(contents()).toBe('written since')
      if (isStopped(first)) {
        process.kill(first, 'SIGCONT')
        await expect.poll(contents, { timeout: 10_000 }).not.toBe('written since')
      }
      return contents()
    } finally {
      // Two have served at once: nothing can be relied on any more, not even that the mount ends by itself.
      if (options.dist !== undefined) {
        if (isRunning(first)) process.kill(first, 'SIGKILL')
        await mirror.ask({ type: 'abort' })
      }
    }
  }

  it('by fencing: a server that goes on late destroys what its successor has acknowledged', async () => {
    expect(await lateTruncation({})).toBe('written since')
    expect(await lateTruncation(without('fencing'))).toBe('')
  })

  /** What a call comes to that a server has read, and in which it dies. */
  const callInHand = async (options: SupervisedMirrorOptions): Promise<unknown> => {
    await using mirror = await superviseMirror(options)
    const client = mirror.client()
    if (options.dist === undefined) await mirror.ready()
    mirror.arm('mkdir.before')
    const outcome = await client.call(['mkdir', 'd'])
    client.end()
    return outcome
  }

  it('by the hold of the device: the connection ends with its server, and calls in hand fail', async () => {
    expect(await callInHand({})).toEqual({})
    expect(await callInHand(without('hold of the device'))).toMatchObject({
      error: expect.stringMatching(/ENOTCONN|ECONNABORTED/) as string,
    })
  })
})
