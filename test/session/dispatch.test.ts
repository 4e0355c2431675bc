import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Errno } from '../../src/errors/errno.js'
import { FsError, fsError } from '../../src/errors/fs-error.js'
import type { FileSystem } from '../../src/filesystem/file-system.js'
import { delayed, MemoryFileSystem } from '../../src/filesystems/memory/index.js'
import { Opcode, type OpcodeName } from '../../src/protocol/opcode.js'
import { serveTo, type Serving } from '../support/session-lives.js'
import type { Question, TestKernel } from '../support/test-kernel.js'

const RW = 2
const CREATE = { flags: RW, mode: 0o100644, umask: 0o022, openFlags: 0 }
const reading = { offset: 0, size: 4096, readFlags: 0, lockOwner: 0, flags: 0 }
const lk = { start: 0, end: 9, type: 1, pid: 7 }

type AnyQuestion = [OpcodeName, number, Question<OpcodeName>]

/** A question for each operation, about a file with a handle. */
function questions(node: number, fh: number, dirFh: number): Partial<Record<OpcodeName, AnyQuestion>> {
  const q = <N extends OpcodeName>(opcode: N, at: number, question: Question<N> = {}): AnyQuestion => [
    opcode,
    at,
    question,
  ]
  const copying = { fhIn: fh, offIn: 0, nodeidOut: node, fhOut: fh, offOut: 8192, len: 5, flags: 0 }
  const data = Buffer.from('hello')
  return {
    LOOKUP: q('LOOKUP', 1, { names: ['f'] }),
    GETATTR: q('GETATTR', node, { body: { getattrFlags: 1, fh } }),
    ACCESS: q('ACCESS', node, { body: { mask: 4 } }),
    SYMLINK: q('SYMLINK', 1, { names: ['s', 'to/where'] }),
    MKNOD: q('MKNOD', 1, { body: { mode: 0o10644, rdev: 0, umask: 0 }, names: ['fifo'] }),
    MKDIR: q('MKDIR', 1, { body: { mode: 0o755, umask: 0 }, names: ['d'] }),
    LINK: q('LINK', 1, { body: { oldnodeid: node }, names: ['l'] }),
    RENAME: q('RENAME', 1, { body: { newdir: 1 }, names: ['l', 'l2'] }),
    RENAME2: q('RENAME2', 1, { body: { newdir: 1, flags: 1 }, names: ['l2', 'l3'] }),
    UNLINK: q('UNLINK', 1, { names: ['l3'] }),
    RMDIR: q('RMDIR', 1, { names: ['d'] }),
    OPEN: q('OPEN', node, { body: { flags: RW, openFlags: 0 } }),
    CREATE: q('CREATE', 1, { body: CREATE, names: ['c'] }),
    TMPFILE: q('TMPFILE', 1, { body: CREATE, names: ['#tmp'] }),
    WRITE: q('WRITE', node, {
      body: { fh, offset: 2 ** 40, size: 5, writeFlags: 0, lockOwner: 0, flags: 0 },
      payload: data,
    }),
    READ: q('READ', node, { body: { ...reading, fh, offset: 2 ** 40 }, expect: { size: 4096 } }),
    FLUSH: q('FLUSH', node, { body: { fh, lockOwner: 0 } }),
    FSYNC: q('FSYNC', node, { body: { fh, fsyncFlags: 1 } }),
    FALLOCATE: q('FALLOCATE', node, { body: { fh, offset: 0, length: 10, mode: 0 } }),
    LSEEK: q('LSEEK', node, { body: { fh, offset: 0, whence: 3 } }),
    COPY_FILE_RANGE: q('COPY_FILE_RANGE', node, { body: copying }),
    COPY_FILE_RANGE_64: q('COPY_FILE_RANGE_64', node, { body: copying }),
    STATFS: q('STATFS', node),
    SYNCFS: q('SYNCFS', 1, { body: {} }),
    SETXATTR: q('SETXATTR', node, {
      body: { size: 5, flags: 0, setxattrFlags: 0 },
      names: ['user.x'],
      payload: data,
    }),
    GETXATTR: q('GETXATTR', node, { body: { size: 64 }, names: ['user.x'], expect: { size: 64 } }),
    LISTXATTR: q('LISTXATTR', node, { body: { size: 64 }, expect: { size: 64 } }),
    REMOVEXATTR: q('REMOVEXATTR', node, { names: ['user.x'] }),
    OPENDIR: q('OPENDIR', 1, { body: { flags: 0, openFlags: 0 } }),
    READDIR: q('READDIR', 1, { body: { ...reading, fh: dirFh }, expect: { size: 4096 } }),
    READDIRPLUS: q('READDIRPLUS', 1, { body: { ...reading, fh: dirFh }, expect: { size: 4096 } }),
    FSYNCDIR: q('FSYNCDIR', 1, { body: { fh: dirFh, fsyncFlags: 0 } }),
    GETLK: q('GETLK', node, { body: { fh, owner: 5, lk, lkFlags: 0 } }),
    SETLK: q('SETLK', node, { body: { fh, owner: 5, lk, lkFlags: 1 } }),
    SETLKW: q('SETLKW', node, { body: { fh, owner: 5, lk, lkFlags: 0 } }),
    BMAP: q('BMAP', node, { body: { block: 3, blocksize: 512 } }),
    IOCTL: q('IOCTL', node, {
      body: { fh, flags: 0, cmd: 0x1234, arg: 99, inSize: 5, outSize: 16 },
      payload: data,
    }),
    POLL: q('POLL', node, { body: { fh, kh: 77, flags: 1, events: 5 } }),
    STATX: q('STATX', node, { body: { getattrFlags: 0, fh: 0, sxFlags: 0, sxMask: 0xfff } }),
    RELEASE: q('RELEASE', node, { body: { fh, flags: RW, releaseFlags: 0, lockOwner: 0 } }),
    RELEASEDIR: q('RELEASEDIR', 1, { body: { fh: dirFh, flags: 0, releaseFlags: 0, lockOwner: 0 } }),
    DESTROY: q('DESTROY', 0),
  }
}

async function withFile(fs: FileSystem): Promise<Serving & { node: number; fh: number; dirFh: number }> {
  const serving = await serveTo(fs)
  const { kernel } = serving
  const { entry, open } = await kernel.must('CREATE', 1, { body: CREATE, names: ['f'] })
  const dir = await kernel.must('OPENDIR', 1, { body: { flags: 0, openFlags: 0 } })
  return { ...serving, node: Number(entry.nodeid), fh: Number(open.fh), dirFh: Number(dir.fh) }
}

async function finish({ kernel, ended }: Pick<Serving, 'kernel' | 'ended'>): Promise<void> {
  kernel.end()
  expect(await ended).toBe('unmounted')
  expect(kernel.waiting).toBe(0)
  expect(kernel.violations).toEqual([])
}

/** What the memory file system leaves out. */
const ABSENT: readonly OpcodeName[] = [
  'ACCESS',
  'FLUSH',
  'SYNCFS',
  'GETLK',
  'SETLK',
  'SETLKW',
  'BMAP',
  'IOCTL',
  'POLL',
  'STATX',
]

describe('Session', () => {
  it.each([
    ['at once', new MemoryFileSystem() as FileSystem],
    ['with promises', delayed(new MemoryFileSystem() as FileSystem, () => 0)],
  ])('brings every operation to the file system, which answers %s', async (_how, fs) => {
    const serving = await withFile(fs)
    const { kernel, node, fh, dirFh } = serving
    const all = questions(node, fh, dirFh)
    // Set apart: they concern the connection (INIT, done), have no answer, or are of no concern here (DAX, CUSE).
    const apart = ['INIT', 'FORGET', 'BATCH_FORGET', 'INTERRUPT', 'NOTIFY_REPLY', 'SETATTR', 'READLINK']
    const foreign = ['SETUPMAPPING', 'REMOVEMAPPING', 'CUSE_INIT']
    expect([...Object.keys(all), ...apart, ...foreign].sort()).toEqual(Object.keys(Opcode).sort())
    for (const [opcode, [name, at, question]] of Object.entries(all)) {
      const { error } = await kernel.ask(name, at, question)
      const expected = ABSENT.includes(opcode as OpcodeName) ? Errno.ENOSYS : 0
      expect(error, opcode).toBe(expected)
    }
    const link = await kernel.must('LOOKUP', 1, { names: ['s'] })
    const target = await kernel.must('READLINK', Number(link.nodeid), { expect: { size: 4096 } })
    expect(Buffer.from(target).toString()).toBe('to/where')
    await finish(serving)
  })

  it('translates requests for what only some file systems have', async () => {
    const calls: unknown[][] = []
    const note = (name: string, result: unknown) =>
      ((...args: unknown[]) => {
        calls.push([name, ...args.slice(0, -1)])
        return result
      }) as never
    const fs = Object.assign(new MemoryFileSystem(), {
      getlk: note('getlk', { ...lk, type: 2 }),
      setlk: note('setlk', undefined),
      bmap: note('bmap', 2 ** 40),
      ioctl: note('ioctl', { result: 3, output: Buffer.from('out') }),
      poll: note('poll', 4),
      access: note('access', undefined),
      flush: note('flush', undefined),
      syncfs: note('syncfs', undefined),
    }) as unknown as FileSystem
    const serving = await withFile(fs)
    const { kernel, node, fh, dirFh } = serving
    const all = questions(node, fh, dirFh)
    const ask = async (opcode: OpcodeName): Promise<unknown> => {
      const [name, at, question] = all[opcode]!
      return kernel.must(name, at, question)
    }
    expect(await ask('GETLK')).toMatchObject({ lk: { ...lk, type: 2 } })
    await ask('SETLK')
    await ask('SETLKW')
    expect(await ask('BMAP')).toMatchObject({ block: 2 ** 40 })
    expect(await ask('IOCTL')).toMatchObject({
      out: { result: 3, flags: 0 },
      data: Uint8Array.from(Buffer.from('out')),
    })
    expect(await ask('POLL')).toMatchObject({ revents: 4 })
    await ask('ACCESS')
    await ask('FLUSH')
    await ask('SYNCFS')
    const file = expect.objectContaining({ nlink: 1 }) as unknown
    expect(calls).toEqual([
      ['getlk', node, file, 5, lk],
      ['setlk', node, file, 5, lk, { wait: false, flock: true }],
      ['setlk', node, file, 5, lk, { wait: true, flock: false }],
      ['bmap', node, 3, 512],
      [
        'ioctl',
        node,
        file,
        { command: 0x1234, argument: 99, flags: 0, input: expect.anything() as unknown, outputSize: 16 },
      ],
      ['poll', node, file, 5, 77],
      ['access', node, 4],
      ['flush', node, file, 0],
      ['syncfs', 1],
    ])
    await finish(serving)
  })

  it('answers what an operation throws with its errno, and the unknown with EIO', async () => {
    const thrown: [unknown, number][] = [
      [new FsError('EDQUOT'), Errno.EDQUOT],
      [fsError('ENOSPC'), Errno.ENOSPC],
      [Object.assign(new Error('x'), { code: 'EACCES', errno: -13 }), Errno.EACCES],
      [new TypeError('a mistake'), Errno.EIO],
      ['a string', Errno.EIO],
      [undefined, Errno.EIO],
    ]
    for (const sync of [true, false]) {
      let next: unknown
      const fs = Object.assign(new MemoryFileSystem(), {
        lookup: () => {
          if (sync) throw next
          // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors
          return Promise.reject(next)
        },
      })
      const serving = await serveTo(fs)
      for (const [error, errno] of thrown) {
        next = error
        expect((await serving.kernel.ask('LOOKUP', 1, { names: ['x'] })).error).toBe(errno)
      }
      await finish(serving)
    }
  })

  it('answers EIO where the file system gives what cannot be sent', async () => {
    const fs = Object.assign(new MemoryFileSystem(), { readlink: () => new Uint8Array(2 ** 22) })
    const serving = await serveTo(fs)
    await serving.kernel.must('SYMLINK', 1, { names: ['s', 't'] })
    expect((await serving.kernel.ask('READLINK', 2 ** 24 + 1)).error).toBe(Errno.EIO)
    await finish(serving)
  })

  it('answers ESTALE for nodes and EBADF for handles that it has not given out', async () => {
    const serving = await withFile(new MemoryFileSystem())
    const { kernel, node, fh } = serving
    const getattr = { body: { getattrFlags: 0, fh: 0 } }
    for (const wrong of [0, 2, 3, node + 1, node + 2 ** 24, 2 ** 52]) {
      expect((await kernel.ask('GETATTR', wrong, getattr)).error, String(wrong)).toBe(Errno.ESTALE)
    }
    for (const wrong of [0, fh + 5, fh + 2 ** 24]) {
      const read = await kernel.ask('READ', node, { body: { ...reading, fh: wrong } })
      expect(read.error).toBe(Errno.EBADF)
    }
    await finish(serving)
  })

  it('gives each request exactly one answer, in whatever order its work ends', async () => {
    const slow = (): number => Math.floor(Math.random() * 4)
    const fs = new MemoryFileSystem() as FileSystem
    const mixed = delayed(fs, slow)
    const either: FileSystem = new Proxy(fs, {
      get: (_target, name, receiver) =>
        Reflect.get(Math.random() < 0.5 ? mixed : bound(fs), name, receiver) as unknown,
    })
    const serving = await serveTo(either, { frames: 8 })
    const { kernel } = serving
    const names = fc.constantFrom('a', 'b', 'c', 'd')
    const asking = fc.oneof(
      names.map((name) => (k: TestKernel) => k.ask('LOOKUP', 1, { names: [name] })),
      names.map(
        (name) => (k: TestKernel) => k.ask('MKDIR', 1, { body: { mode: 0o755, umask: 0 }, names: [name] }),
      ),
      names.map((name) => (k: TestKernel) => k.ask('UNLINK', 1, { names: [name] })),
      names.map((name) => (k: TestKernel) => k.ask('RMDIR', 1, { names: [name] })),
      names.map((name) => (k: TestKernel) => k.ask('CREATE', 1, { body: CREATE, names: [name] })),
      fc
        .tuple(names, names)
        .map((pair) => (k: TestKernel) => k.ask('RENAME', 1, { body: { newdir: 1 }, names: pair })),
      fc.constant((k: TestKernel) => k.ask('STATFS', 1)),
      fc.constant((k: TestKernel) => k.ask('BMAP', 1, { body: { block: 0, blocksize: 1 } })),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(asking, { maxLength: 60 }), async (sequence) => {
        const before = kernel.answered
        const replies = await Promise.all(sequence.map((ask) => ask(kernel)))
        expect(kernel.answered - before).toBe(sequence.length)
        expect(new Set(replies.map(({ unique }) => unique)).size).toBe(sequence.length)
        expect(kernel.inHand).toBe(0)
      }),
      { numRuns: 60 },
    )
    // What the kernel has counted is what the journal has.
    const { nodes } = serving.session.journal
    for (const [node, count] of kernel.lookups) expect(nodes.lookups(nodes.slotOf(node))).toBe(count)
    kernel.forget(...kernel.lookups.keys())
    await Promise.all([...kernel.files.keys()].map((fh) => kernel.close(fh)))
    await kernel.ask('STATFS', 1)
    expect(nodes.count()).toBe(1)
    expect(serving.session.journal.handles.countOpen()).toBe(0)
    await finish(serving)
  })
})

/** Methods that can be taken off their object. */
function bound(fs: FileSystem): FileSystem {
  return new Proxy(fs, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name)
      return typeof value === 'function' ? (value.bind(target) as unknown) : value
    },
  })
}
