import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { beforeEach, describe, expect, it } from 'vitest'
import { MountPlace } from '../../support/evermount.js'
import { requireOrSkip } from '../../support/requirements.js'

const support = (name: string): URL => new URL(`../../support/${name}`, import.meta.url)

describe('a caller that is interrupted while its server dies of the INTERRUPT', { timeout: 60_000 }, () => {
  beforeEach((context) => {
    requireOrSkip(context, 'root', 'fuse')
  })

  it.each([
    ['SIGUSR2', 1],
    ['SIGUSR2', 2],
    ['SIGKILL', 1],
  ] as const)('gets it from the kernel again, for the next server: %s, %i deaths', async (signal, deaths) => {
    await using place = new MountPlace({ guardMs: 40_000 })
    const options = { log: join(place.folder, 'log'), deaths: join(place.folder, 'deaths') }
    writeFileSync(options.deaths, String(deaths))
    await place.launchModule('interruptible.mjs', options)
    const lines = (): string[] =>
      existsSync(options.log) ? readFileSync(options.log, 'utf8').trim().split('\n') : []
    const client = spawn(
      process.execPath,
      [fileURLToPath(support('interrupted-client.mjs')), place.mountPoint],
      {
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    )
    let said = ''
    client.stdout.on('data', (data: Buffer) => (said += data.toString()))
    const ended = once(client, 'close')
    while (!lines().includes('begun')) await delay(10)
    client.kill(signal)
    const [code, by] = (await ended) as [number | null, string | null]
    expect({ code, by, said }).toEqual(
      signal === 'SIGKILL' ? { code: null, by: 'SIGKILL', said: '' } : { code: 0, by: null, said: 'EINTR\n' },
    )
    const expected = Array.from({ length: deaths + 1 }, () => ['begun', 'interrupted']).flat()
    expect(lines()).toEqual(expected)
  })
})
