import { closeSync, openSync, readFileSync, readdirSync, readlinkSync, readSync } from 'node:fs'
import { rmSync, statSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, describe, expect, it } from 'vitest'
import { Header, JOURNAL_VERSION, Region, RequestRecord } from '../../../src/journal/layout.js'
import { installedCopies } from '../../support/installed-copy.js'
import { requireOrSkip } from '../../support/requirements.js'
import { superviseMirror, type SupervisedMirror } from '../../support/supervised-mirror.js'

const REGION_BYTES = 2 ** 38

function setVersion(folder: string, version: number): void {
  const file = join(folder, 'dist/journal/layout.js')
  const text = readFileSync(file, 'utf8')
  const changed = text.replace(/(JOURNAL_VERSION = )\d+/, `$1${version}`)
  expect(changed).toMatch(`JOURNAL_VERSION = ${version}`)
  writeFileSync(file, changed)
}

/** Flips the bits of a byte of a mount's journal, through the descriptor of a process that holds it. */
function damage(pid: number, offset: number): void {
  const folder = `/proc/${pid}/fd`
  const name = readdirSync(folder).find((fd) => readlinkSync(join(folder, fd)).includes('evermount-journal'))
  const fd = openSync(join(folder, name ?? 'none'), 'r+')
  const byte = Buffer.alloc(1)
  readSync(fd, byte, 0, 1, offset)
  byte[0]! ^= 0xff
  writeSync(fd, byte, 0, 1, offset)
  closeSync(fd)
}

/** The mount has ended, nothing hangs, and its journal and log are there to be looked at. */
async function expectEvidence(mirror: SupervisedMirror, problem: RegExp): Promise<void> {
  const folder = join(mirror.runtimeDirectory, readdirSync(mirror.runtimeDirectory)[0]!)
  await expect.poll(() => mirror.note?.problem, { timeout: 20_000 }).toMatch(problem)
  expect(mirror.mounted).toBe(false)
  const journal = join(folder, 'journal')
  expect(statSync(journal).mode & 0o777).toBe(0o600)
  // Sparse as it was: its regions lie far apart.
  expect(statSync(journal).size).toBeGreaterThan(REGION_BYTES)
  expect(statSync(journal).blocks * 512).toBeGreaterThan(2 ** 20)
  expect(mirror.log).toMatch(problem)
  const listed = await mirror.run('list')
  expect(listed.stdout).toMatch(new RegExp(`${mirror.mountPoint}\\s+had to end`))
  const { stdout } = await mirror.run('status', mirror.mountPoint)
  expect(stdout).toMatch(problem)
  expect(stdout).toContain(`kept in      ${folder}`)
  // Another mount may take the place, and what is kept is not lost by it.
  expect(await mirror.launch({})).toBeUndefined()
  expect(readdirSync(mirror.runtimeDirectory)).toHaveLength(2)
  expect(statSync(join(`${folder}.ended`, 'journal')).size).toBeGreaterThan(0)
  rmSync(`${folder}.ended`, { recursive: true })
}

describe('an upgrade', { timeout: 120_000 }, () => {
  beforeEach((context) => {
    requireOrSkip(context, 'root', 'fuse')
  })
  const install = installedCopies()

  it('to another journal version is refused under a client that writes, and the old server goes on', async () => {
    const folder = install()
    await using mirror = await superviseMirror({ dist: join(folder, 'dist') })
    const writer = mirror.client()
    const client = mirror.client()
    const { pids } = await mirror.ready()
    setVersion(folder, JOURNAL_VERSION + 1)
    const writing = writer.do('appendFor', 'log', 4_000)
    const reply = await mirror.ask({ type: 'restart' })
    expect(reply).toMatchObject({ type: 'restarted', result: { done: false } })
    expect(JSON.stringify(reply)).toMatch(
      new RegExp(`version ${JOURNAL_VERSION} was found, this program knows ${JOURNAL_VERSION + 1}`),
    )
    expect(JSON.stringify(reply)).toMatch(/the old one goes on/)
    expect((await mirror.status()).pids.server).toBe(pids.server)
    await client.do('mkdir', 'd')
    const count = (await writing) as number
    expect(readFileSync(join(mirror.source, 'log'), 'latin1')).toHaveLength(count * 10)
    // The standby is of the old version still. Its successor cannot be started, and that is shown.
    process.kill(pids.server!, 'SIGKILL')
    await client.do('mkdir', 'e')
    const after = await mirror.until(({ problem, lives }) => lives === 2 && problem !== null)
    expect(after).toMatchObject({ state: 'serving' })
    expect(after.problem).toMatch(/version/)
    // Back to the old one: all is well again.
    setVersion(folder, JOURNAL_VERSION)
    expect((await mirror.ready()).problem).toBeNull()
    expect(await mirror.ask({ type: 'restart' })).toMatchObject({ result: { done: true } })
    expect(await client.do('readdir', '.')).toEqual(['d', 'e', 'log'])
  })

  it('of the files alone does not end a mount whose supervisor dies', async () => {
    const folder = install()
    await using mirror = await superviseMirror({ dist: join(folder, 'dist') })
    const client = mirror.client()
    const { pids } = await mirror.ready()
    setVersion(folder, JOURNAL_VERSION + 1)
    process.kill(pids.supervisor, 'SIGKILL')
    // New supervisors do not know this journal. The server goes on without, and tries again.
    await expect.poll(() => mirror.log, { timeout: 20_000 }).toMatch(/this program knows/)
    await client.do('mkdir', 'd')
    setVersion(folder, JOURNAL_VERSION)
    const after = await mirror.untilAny(({ replacedSupervisors }) => replacedSupervisors === 1)
    expect(after.pids.server).toBe(pids.server)
    await mirror.ready()
    await mirror.kill()
    expect(await client.do('readdir', '.')).toEqual(['d'])
  })
})

describe('a damaged journal', { timeout: 120_000 }, () => {
  beforeEach((context) => {
    requireOrSkip(context, 'root', 'fuse')
  })

  it.each(['magic', 'checksum', 'frameCount', 'redoEffects', 'nodeTop', 'restingTop'] as const)(
    'at %s is not gone on from: the mount ends, and it is kept',
    async (word) => {
      await using mirror = await superviseMirror()
      const client = mirror.client()
      // By path it might find the directory below the mount, which is gone at once.
      await client.do('chdir', '.')
      const { pids } = await mirror.ready()
      // The highest byte, or the change may be a number that could be right.
      damage(pids.supervisor, Header[word] + 3)
      process.kill(pids.server!, 'SIGKILL')
      expect((await client.call(['cwdEntries'])).error).toMatch(/ENOTCONN|ECONNABORTED/)
      client.end()
      await expectEvidence(mirror, /journal.* is damaged at byte/)
    },
  )

  it.each([RequestRecord.unique, RequestRecord.nodeid, RequestRecord.opcode, RequestRecord.evidence + 3])(
    'at byte %i of a request in hand: it is not carried out a second time',
    async (offset) => {
      await using mirror = await superviseMirror()
      const client = mirror.client()
      const { pids } = await mirror.ready()
      mirror.arm('mkdir.done', 'stop')
      const called = client.call(['mkdir', 'd'])
      await expect.poll(() => mirror.armed('mkdir.done'), { timeout: 10_000 }).toBe(false)
      const record = (await mirror.status()).requestsInHand
      expect(record).toMatchObject([{ operation: 'MKDIR' }])
      damage(pids.supervisor, Region.requests * REGION_BYTES + offset)
      process.kill(pids.server!, 'SIGKILL')
      expect((await called).error).toMatch(/ENOTCONN|ECONNABORTED/)
      client.end()
      await expectEvidence(mirror, /a request in hand does not match its checksum/)
      expect(readdirSync(mirror.source)).toEqual(['d'])
    },
  )
})
