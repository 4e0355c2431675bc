import { describe, expect, it } from 'vitest'
import { disagreements } from '../../crashpoints/run/accounts.js'
import { fsError } from '../../src/errors/fs-error.js'
import type { BegunChange, Verdict } from '../../src/filesystem/begun-change.js'
import type { Context } from '../../src/filesystem/context.js'
import type { Awaitable, FileSystem, Name, NodeId } from '../../src/filesystem/file-system.js'
import { MemoryFileSystem } from '../../src/filesystems/memory/index.js'
import { FileMode, openFlags, RenameFlag, XattrFlag } from '../../src/protocol/linux.js'
import type { ProcessCalls } from '../../src/kernel-model/vfs/process-types.js'
import type { OpcodeName } from '../../src/protocol/opcode.js'
import { ModelLives } from '../support/model-lives.js'

const O = openFlags(process.arch === 'arm64' ? 'arm64' : 'x64')
const RDWR = 2
const bytes = (text: string): Uint8Array => Buffer.from(text)

/** What is kept by no server: it is the same in each life. */
type Disk = MemoryFileSystem

/** Says of each change whether it has happened: of names by themselves, where these cannot tell by evidence. */
class Reconciling extends MemoryFileSystem {
  asked: string[] = []

  override rename(
    parent: NodeId,
    name: Name,
    newParent: NodeId,
    newName: Name,
    flags: number,
    context?: Context,
  ): void {
    context?.intend(Buffer.from(String(this.lookup(parent, name).node)))
    super.rename(parent, name, newParent, newName, flags)
  }

  override setxattr(node: NodeId, name: Name, value: Uint8Array, flags: number, ...rest: unknown[]): void {
    if (!this.#has(node, name)) (rest[1] as Context).intend(bytes('absent'))
    super.setxattr(node, name, value, flags)
  }

  override removexattr(node: NodeId, name: Name, context?: Context): void {
    if (this.#has(node, name)) context?.intend(bytes('present'))
    super.removexattr(node, name)
  }

  reconcile(change: BegunChange, context: Context): Awaitable<Verdict> {
    this.asked.push(change.operation)
    return this.#isDone(change, context.doubt) ? 'done' : 'repeat'
  }

  #isDone(change: BegunChange, doubt: Uint8Array | undefined): boolean {
    switch (change.operation) {
      case 'mkdir':
      case 'mknod':
      case 'symlink':
      case 'create':
        return this.#at(change.parent, change.name) !== 0
      case 'link':
        return this.#at(change.newParent, change.newName) === change.node
      case 'unlink':
      case 'rmdir':
        return this.#at(change.parent, change.name) === 0
      case 'rename':
        return (
          doubt !== undefined && this.#at(change.newParent, change.newName) === Number(Buffer.from(doubt))
        )
      case 'open':
        return this.getattr(change.node).attributes.size === 0
      case 'setxattr':
        return doubt !== undefined && this.#has(change.node, change.name)
      case 'removexattr':
        return doubt !== undefined && !this.#has(change.node, change.name)
      case 'ioctl':
        throw fsError('ENOTTY')
    }
  }

  #at(parent: NodeId, name: Name): NodeId {
    try {
      return this.lookup(parent, name).node
    } catch {
      return 0
    }
  }

  #has(node: NodeId, name: Name): boolean {
    try {
      this.getxattr(node, name)
      return true
    } catch {
      return false
    }
  }
}

class Later extends Reconciling {
  override async reconcile(change: BegunChange, context: Context): Promise<Verdict> {
    await new Promise(setImmediate)
    const verdict = super.reconcile(change, context)
    await new Promise(setImmediate)
    return verdict
  }
}

/** A file system whose every operation has a point before it does anything, and one when it has done it. */
function withPoints(fs: FileSystem, reach: () => void): FileSystem {
  return new Proxy(fs, {
    get: (target, name) => {
      const operation = Reflect.get(target, name) as unknown
      if (typeof operation !== 'function') return operation
      return (...given: unknown[]): unknown => {
        reach()
        const result = operation.apply(target, given) as unknown
        if (result instanceof Promise) {
          return result.then((value: unknown) => {
            reach()
            return value
          })
        }
        reach()
        return result
      }
    },
  })
}

type Change = (app: ProcessCalls) => Promise<unknown>

async function writeTo(app: ProcessCalls, path: string, flags: number): Promise<string> {
  const fd = await app.open(path, RDWR | flags)
  await app.write(fd, bytes('new'))
  const text = Buffer.from(await app.pread(fd, 100, 0)).toString()
  await app.close(fd)
  return text
}

/** Every operation that cannot be done twice, in the forms that make a difference. */
const changes: Readonly<Record<string, Change>> = {
  mkdir: (app) => app.mkdir('/new'),
  mknod: (app) => app.mknod('/new', FileMode.IFIFO | 0o600),
  'mknod of a file': (app) => app.mknod('/new', FileMode.IFREG | 0o600),
  symlink: (app) => app.symlink('full', '/new'),
  create: (app) => writeTo(app, '/new', O.CREAT),
  'create with O_EXCL': (app) => writeTo(app, '/new', O.CREAT | O.EXCL),
  'create for reading': async (app) => app.close(await app.open('/new', O.CREAT | O.EXCL, 0o400)),
  link: (app) => app.link('/full', '/dir/new'),
  unlink: (app) => app.unlink('/full'),
  rmdir: (app) => app.rmdir('/empty'),
  rename: (app) => app.rename('/full', '/dir/new'),
  'rename over another': (app) => app.rename('/full', '/other'),
  'rename with RENAME_NOREPLACE': (app) => app.rename('/full', '/new', RenameFlag.NOREPLACE),
  'open with O_TRUNC': (app) => writeTo(app, '/full', O.TRUNC),
  setxattr: (app) => app.setxattr('/full', 'user.a', bytes('1')),
  'setxattr with XATTR_CREATE': (app) => app.setxattr('/full', 'user.new', bytes('1'), XattrFlag.CREATE),
  'setxattr with XATTR_CREATE of one that is there': (app) =>
    app.setxattr('/full', 'user.a', bytes('2'), XattrFlag.CREATE),
  removexattr: (app) => app.removexattr('/full', 'user.a'),
  'rmdir of a directory that is not empty': (app) => app.rmdir('/dir'),
}

/** What only a file system that takes part can be exact about. */
const byEvidence: Readonly<Record<string, Change>> = {
  'rename with RENAME_EXCHANGE': (app) => app.rename('/full', '/other', RenameFlag.EXCHANGE),
  'removexattr of none': (app) => app.removexattr('/full', 'user.none'),
}

const CHANGING: readonly OpcodeName[] = [
  ...(['MKDIR', 'MKNOD', 'SYMLINK', 'CREATE', 'LINK', 'UNLINK', 'RMDIR', 'RENAME', 'RENAME2'] as const),
  ...(['OPEN', 'SETXATTR', 'REMOVEXATTR'] as const),
]

interface Outcome {
  readonly result: unknown
  readonly tree: readonly string[]
  readonly disagreements: readonly string[]
  readonly inHand: number
}

/** Of a successor, up to its answer and a little beyond. */
const LATER_POINTS = 12
const STRIDE = 3

interface Trial {
  readonly outcome: Outcome
  readonly points: number
  readonly kills: number
}

/** One change on a small tree, by servers that are killed at the points given. */
async function attempt(disk: Disk, change: Change, budgets: readonly number[]): Promise<Trial> {
  const lives = new ModelLives((reach) => withPoints(disk, reach))
  await lives.begin()
  const app = lives.mount.process({ uid: 0, gid: 0 })
  for (const path of ['/dir', '/empty']) await app.mkdir(path)
  for (const path of ['/full', '/other', '/dir/inner']) {
    const fd = await app.open(path, RDWR | O.CREAT, 0o644)
    await app.write(fd, bytes(path))
    await app.close(fd)
  }
  await app.setxattr('/full', 'user.a', bytes('1'))
  lives.arm(budgets, CHANGING)
  const result = await change(app).catch((error: unknown) => (error as { code: string }).code)
  const { points, kills } = lives
  lives.arm([])
  await lives.serving()
  while (lives.session.tidy());
  const { journal } = lives.session
  const outcome = {
    result,
    disagreements: disagreements(lives.mount, journal),
    inHand: journal.requests.inHand().length,
    tree: listing(disk),
  }
  await lives.end()
  return { outcome, points, kills }
}

/** The whole of a disk, but for times and numbers of inodes. */
function listing(disk: Disk, node = 1, path = ''): string[] {
  const names: string[] = []
  const add = (name: Name): boolean => names.push(Buffer.from(name).toString()) > 0
  const sink = {
    plus: false,
    fits: () => true,
    add,
    addRecords: () => expect.unreachable(),
    addPlus: add,
  }
  disk.readdir(node, disk.opendir(node).directory, 0, sink)
  return names
    .filter((name) => name !== '.' && name !== '..')
    .sort()
    .flatMap((name) => {
      const { node: child, attributes } = disk.lookup(node, bytes(name))
      const { mode, nlink, size } = attributes
      const head = `${path}/${name} ${mode.toString(8)} ${nlink} ${String(disk.listxattr(child))}`
      const type = mode & FileMode.IFMT
      if (type === FileMode.IFDIR) return [head, ...listing(disk, child, `${path}/${name}`)]
      return type === FileMode.IFREG ? [head, contentOf(disk, child, Number(size))] : [head, String(size)]
    })
}

function contentOf(disk: Disk, node: NodeId, size: number): string {
  const into = Buffer.alloc(size)
  const request = { offset: 0, size, flags: 0, lockOwner: undefined }
  disk.read(node, disk.reopen(node), request, into)
  return into.toString()
}

/** Kills at every point, and with `doubles` at some of its successor's as well; calls back with what comes out. */
async function killEverywhere(
  make: () => Disk,
  change: Change,
  inspect: (trial: Trial, expected: Outcome, note: string) => void,
  doubles = false,
): Promise<number> {
  const { outcome, points } = await attempt(make(), change, [])
  for (let point = 0; point < points; point++) {
    const single = await attempt(make(), change, [point])
    expect(single.kills).toBe(1)
    inspect(single, outcome, `killed at ${point}`)
    if (!doubles) continue
    for (let second = point % STRIDE; second < LATER_POINTS; second += STRIDE) {
      inspect(await attempt(make(), change, [point, second]), outcome, `killed at ${point}, ${second}`)
    }
  }
  return points
}

const same = ({ outcome }: Trial, expected: Outcome, note: string): void => {
  expect(outcome, note).toEqual(expected)
}

describe('a file system that says what has happened', { timeout: 120_000 }, () => {
  it.each(Object.entries({ ...changes, ...byEvidence }))(
    'is killed at every point of %s',
    async (_, change) => {
      const points = await killEverywhere(() => new Reconciling(), change, same, true)
      expect(points).toBeGreaterThanOrEqual(4)
    },
  )

  it.each(Object.entries({ ...changes, ...byEvidence }))('... and answers later: %s', async (_, change) => {
    await killEverywhere(() => new Later(), change, same)
  })

  it('is asked only when the change was begun, again when it dies once more, and may refuse', async () => {
    const disks: Reconciling[] = []
    const make = (): Reconciling => disks[disks.push(new Reconciling()) - 1]!
    await killEverywhere(make, changes.mkdir!, same)
    const asked = disks.map(({ asked: operations }) => operations.length)
    expect(new Set(asked)).toEqual(new Set([0, 1]))
    disks.length = 0
    await killEverywhere(make, changes.mkdir!, same, true)
    expect(Math.max(...disks.map(({ asked: operations }) => operations.length))).toBe(2)
    const refused: unknown[] = []
    class Refusing extends Reconciling {
      override reconcile(): Verdict {
        throw fsError('EREMOTEIO')
      }
    }
    await killEverywhere(
      () => new Refusing(),
      changes.mkdir!,
      ({ outcome }) => refused.push(outcome.result),
    )
    expect(new Set(refused)).toEqual(new Set([undefined, 'EREMOTEIO']))
  })

  it('is answered EIO for a verdict that is none', async () => {
    class Wrong extends Reconciling {
      override reconcile(): Verdict {
        return undefined as unknown as Verdict
      }
    }
    const results: unknown[] = []
    const inspect = ({ outcome }: Trial): void => void results.push(outcome.result)
    await killEverywhere(() => new Wrong(), changes.unlink!, inspect)
    expect(new Set(results)).toEqual(new Set([undefined, 'EIO']))
  })

  it.each(['repeat', 'done'] as const)('is believed: "%s" for everything is noticed', async (verdict) => {
    class Blind extends Reconciling {
      override reconcile(): Verdict {
        return verdict
      }
    }
    for (const name of ['mkdir', 'unlink', 'rename', 'create with O_EXCL', 'rename with RENAME_EXCHANGE']) {
      let differences = 0
      const inspect = ({ outcome }: Trial, expected: Outcome): void => {
        if (JSON.stringify(outcome) !== JSON.stringify(expected)) differences++
      }
      await killEverywhere(() => new Blind(), { ...changes, ...byEvidence }[name]!, inspect)
      expect({ name, isNoticed: differences > 0 }).toEqual({ name, isNoticed: true })
    }
  })
})

describe('the kernel', () => {
  it('answers by itself for a name that is there, or is not: no such change comes to a server', async () => {
    for (const change of [
      (app: ProcessCalls) => app.mkdir('/dir'),
      (app: ProcessCalls) => app.symlink('full', '/dir'),
      (app: ProcessCalls) => app.link('/full', '/other'),
      (app: ProcessCalls) => app.open('/full', O.CREAT | O.EXCL),
      (app: ProcessCalls) => app.rename('/full', '/other', RenameFlag.NOREPLACE),
      (app: ProcessCalls) => app.unlink('/new'),
      (app: ProcessCalls) => app.rmdir('/new'),
      (app: ProcessCalls) => app.rename('/new', '/other'),
    ]) {
      const { outcome, points } = await attempt(new MemoryFileSystem(), change, [])
      expect(points).toBe(0)
      expect(outcome.result).toMatch(/EEXIST|ENOENT/)
    }
  })
})

describe('a file system that takes no part', { timeout: 120_000 }, () => {
  it.each(Object.entries(changes))('is killed at every point of %s', async (_, change) => {
    await killEverywhere(() => new MemoryFileSystem(), change, same)
  })

  it('is answered EIO for an exchange that may have happened, and nothing is done twice', async () => {
    const change = byEvidence['rename with RENAME_EXCHANGE']!
    const exchanged = (await attempt(new MemoryFileSystem(), change, [])).outcome
    const untouched = (await attempt(new MemoryFileSystem(), () => Promise.resolve(), [])).outcome
    const results: unknown[] = []
    await killEverywhere(
      () => new MemoryFileSystem(),
      change,
      ({ outcome }) => {
        results.push(outcome.result)
        const trees = outcome.result === 'EIO' ? [exchanged.tree, untouched.tree] : [exchanged.tree]
        expect(trees).toContainEqual(outcome.tree)
      },
    )
    expect(new Set(results)).toEqual(new Set([undefined, 'EIO']))
  })

  it('is answered success for an attribute that was not there to be removed', async () => {
    const results: unknown[] = []
    const inspect = ({ outcome }: Trial): void => void results.push(outcome.result)
    await killEverywhere(() => new MemoryFileSystem(), byEvidence['removexattr of none']!, inspect)
    expect(new Set(results)).toEqual(new Set(['ENODATA', undefined]))
  })
})
