import { describe, expect, it } from 'vitest'
import type { Context } from '../../src/filesystem/context.js'
import type {
  Created,
  FileSystem,
  Name,
  NewObject,
  NodeId,
  Opened,
} from '../../src/filesystem/file-system.js'
import { MemoryFileSystem } from '../../src/filesystems/memory/index.js'
import type { FileInode } from '../../src/filesystems/memory/inode.js'
import { Area } from '../../src/journal/area.js'
import { Header, NodeRecord, Region } from '../../src/journal/layout.js'
import { strategies, type PassthroughStrategy } from '../../src/passthrough/strategy.js'
import { Session } from '../../src/session/session.js'
import { Life, SurvivingMemory } from '../support/killed-process.js'
import { KERNEL_INIT, sessionOptions } from '../support/session-lives.js'
import { TestKernel } from '../support/test-kernel.js'

/** Files whose mode says so are passed through. What is done twice fails. */
class PassedThrough extends MemoryFileSystem {
  override open(node: NodeId, flags: number, kill: boolean): Opened<FileInode> {
    const { file } = super.open(node, flags, kill)
    return file.mode & 0o1 ? { file, backing: file.ino } : { file }
  }

  override create(
    parent: NodeId,
    name: Name,
    flags: number,
    object: NewObject,
    context: Context,
  ): Created<FileInode> {
    const created = super.create(parent, name, flags, object, context)
    return object.mode & 0o1 ? { ...created, backing: created.file.ino } : created
  }
}

const FILE = { flags: 0o302, umask: 0, openFlags: 0 }
const PASSED = 0o100601
const SERVED = 0o100600

/** Some of everything that changes what the kernel and the server know of each other. */
async function workload(kernel: TestKernel): Promise<void> {
  const create = async (parent: number, name: string, mode: number): Promise<{ at: number; fh: number }> => {
    const made = await kernel.must('CREATE', parent, { body: { ...FILE, mode }, names: [name] })
    return { at: Number(made.entry.nodeid), fh: Number(made.open.fh) }
  }
  const open = async (at: number): Promise<number> =>
    Number((await kernel.must('OPEN', at, { body: { flags: 2, openFlags: 0 } })).fh)

  await kernel.must('INIT', 0, { body: KERNEL_INIT })
  expect((await kernel.ask('LOOKUP', 1, { names: ['none'] })).error).toBe(2)
  const dir = Number(
    (await kernel.must('MKDIR', 1, { body: { mode: 0o755, umask: 0 }, names: ['d'] })).nodeid,
  )
  const p = await create(dir, 'p', PASSED)
  const s = await create(dir, 's', SERVED)
  const again = await Promise.all([open(p.at), open(p.at), open(s.at)])
  await Promise.all(['p', 's', 'p'].map((name) => kernel.must('LOOKUP', dir, { names: [name] })))
  await kernel.close(p.fh)
  // Closed and opened again: another registration.
  for (const fh of again) await kernel.close(fh)
  const last = await open(p.at)
  const link = await kernel.must('LINK', dir, { body: { oldnodeid: s.at }, names: ['l'] })
  expect(link.nodeid).toBe(s.at)
  const opened = await kernel.must('OPENDIR', dir, { body: { flags: 0, openFlags: 0 } })
  const reading = { offset: 0, size: 4096, readFlags: 0, lockOwner: 0, flags: 0 }
  const entries = await kernel.must('READDIRPLUS', dir, { body: { fh: opened.fh, ...reading } })
  expect(entries.map(({ name }) => Buffer.from(name).toString()).slice(2)).toEqual(['p', 's', 'l'])
  await kernel.close(Number(opened.fh), true)
  // Unlinked while open; forgotten before its RELEASE, as the driver may do it.
  await kernel.must('UNLINK', dir, { names: ['p'] })
  kernel.forget(p.at)
  await kernel.close(last)
  for (const name of ['s', 'l']) await kernel.must('UNLINK', dir, { names: [name] })
  await kernel.close(s.fh)
  kernel.forget(s.at, p.at)
  const q = await create(dir, 'q', PASSED)
  expect(q.at).not.toBe(p.at)
  kernel.forget(dir)
  await kernel.must('GETATTR', 1, { body: { getattrFlags: 0, fh: 0 } })
}

/** Lets servers work, one after the other, each killed after as many steps as `budgets` gives; the last one lives. */
async function serveThrough(
  kernel: TestKernel,
  fs: FileSystem,
  strategy: PassthroughStrategy,
  budgets: readonly number[],
): Promise<{ memory: SurvivingMemory; kills: number }> {
  let memory = new SurvivingMemory()
  let kills = 0
  const work = workload(kernel).finally(() => {
    kernel.end()
  })
  work.catch(() => undefined)
  for (const steps of [...budgets, Infinity]) {
    const life = new Life(memory, steps)
    let settled = false
    const lived = await life.runAsync(async () => {
      const session = new Session(
        sessionOptions(
          kernel,
          memory,
          fs,
          () => {
            life.step()
          },
          strategy,
        ),
      )
      await session.prepare()
      session.takeOver()
      // Tidying goes on beside the requests.
      const tidying = (async () => {
        do await new Promise(setImmediate)
        while (session.tidy())
        settled = true
      })()
      await session.run()
      await tidying
      session.passthrough.sweep(999)
    })
    memory = life.memory
    if (lived) {
      expect(settled).toBe(true)
      break
    }
    kills++
    // Three deaths within one request are EIO (suspects.test.ts); these are kills from outside, at any moment.
    new Area(memory, Region.header, Header.bytes).publish(Header.executing, 0)
  }
  await work
  return { memory, kills }
}

function inspect(kernel: TestKernel, memory: SurvivingMemory, note: string): void {
  const { journal } = sessionOptions(kernel, memory, new MemoryFileSystem())
  expect(kernel.violations, note).toEqual([])
  expect(kernel.waiting, note).toBe(0)
  const counted = new Map<number, number>()
  for (let slot = 1; slot < journal.nodes.top; slot++) {
    if (journal.nodes.isLive(slot)) counted.set(journal.nodes.idOf(slot), journal.nodes.lookups(slot))
  }
  expect(counted, note).toEqual(kernel.lookups)
  const handles = new Map<number, { node: number; passthrough: boolean }>()
  journal.handles.recover((id, { node, passthrough }) => handles.set(id, { node, passthrough }))
  expect(handles, note).toEqual(kernel.files)
  expect(journal.requests.inHand(), note).toEqual([])
  const ids = new Set<number>()
  for (let slot = 1; slot < journal.nodes.top; slot++) {
    const id = journal.nodes.area.u32(slot * NodeRecord.bytes + NodeRecord.backingId)
    if (journal.nodes.isLive(slot) && id !== 0) ids.add(id)
  }
  expect([...kernel.backing.keys()], `${note}: registrations`).toEqual([...ids])
}

describe('a session killed before any store of a word and any call of the device', () => {
  it.each(Object.values(strategies))(
    'leaves its heir what the kernel has been told ($name)',
    async (strategy) => {
      // The strategies differ in little: the first is tried at every step.
      const stride = strategy === strategies.journal ? 1 : 5
      let steps = 0
      for (let kills = 1; kills > 0; steps += stride) {
        const kernel = new TestKernel()
        kernel.comparesInodes = strategy === strategies.inodeCompare
        const served = await serveThrough(kernel, new PassedThrough(), strategy, [steps])
        kills = served.kills
        inspect(kernel, served.memory, `killed after ${steps} steps`)
      }
      expect(steps).toBeGreaterThan(300)
    },
    180_000,
  )

  it('leaves it to the heir of an heir that was killed as it took over', async () => {
    for (let steps = 0; steps < 900; steps += 7) {
      const kernel = new TestKernel()
      const budgets = [steps, (steps * 5) % 61, (steps * 11) % 43, (steps * 3) % 29]
      const { memory } = await serveThrough(kernel, new PassedThrough(), strategies.journal, budgets)
      inspect(kernel, memory, `killed after ${budgets.join(', ')} steps`)
    }
  }, 180_000)
})
