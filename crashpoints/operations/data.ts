import { FallocateMode, SeekWhence } from '../../src/protocol/linux.js'
import { O } from '../run/open-flags.js'
import type { Operation, Scene } from './operation.js'

const written = async ({ a }: Scene): Promise<void> => {
  await a.open('h', 'f', O.RDWR | O.CREAT)
  await a.write('h', 'what was written')
}

const uncached = async ({ a, world }: Scene): Promise<void> => {
  await a.file('f', 'what is read')
  await world.dropCaches()
  await a.open('h', 'f', O.RDWR)
}

/** What reads and changes the data of files. */
export const data: readonly Operation[] = [
  { name: 'read', throughServer: true, before: uncached, during: ({ a }) => a.read('h', 20, 0) },
  {
    name: 'read of an unlinked file',
    throughServer: true,
    before: async (scene) => {
      await uncached(scene)
      await scene.a.unlink('f')
    },
    during: ({ a }) => a.read('h', 20, 0),
  },
  {
    name: 'read that is passed through',
    before: uncached,
    during: ({ a }) => a.read('h', 20, 0),
    after: ({ a }) => a.close('h'),
  },
  {
    name: 'write',
    throughServer: true,
    before: uncached,
    during: ({ a }) => a.write('h', 'new', 5),
    after: async ({ a }) => {
      await a.read('h', 30, 0)
      await a.close('h')
      await a.readFile('f')
    },
  },
  {
    name: 'write that appends',
    throughServer: true,
    before: async ({ a }) => {
      await a.file('f')
      await a.open('h', 'f', O.RDWR | O.APPEND)
    },
    during: ({ a }) => a.write('h', ' and more'),
    after: async ({ a }) => {
      await a.write('h', ' still')
      await a.fstat('h')
      await a.readFile('f')
    },
  },
  {
    name: 'writes that append, by two',
    throughServer: true,
    before: async ({ a, b }) => {
      await a.file('f')
      await a.open('h', 'f', O.WRONLY | O.APPEND)
      await b.open('h', 'f', O.WRONLY | O.APPEND)
    },
    during: async ({ a, b }) => {
      await Promise.all([a.write('h', ' more'), b.write('h', ' more')])
    },
    after: ({ a }) => a.readFile('f'),
  },
  {
    name: 'write by a user to a set-id file',
    throughServer: true,
    before: async ({ a, user }) => {
      await a.file('f')
      await a.chown('f', 1234, 1234)
      await a.chmod('f', 0o6755)
      await user.open('h', 'f', O.WRONLY)
    },
    during: ({ user }) => user.write('h', 'new'),
    after: ({ a }) => a.stat('f'),
  },
  {
    name: 'write that is passed through',
    before: uncached,
    during: ({ a }) => a.write('h', 'new', 5),
    after: async ({ a }) => {
      await a.read('h', 30, 0)
      await a.stat('f')
    },
  },
  { name: 'fsync', before: written, during: ({ a }) => a.fsync('h'), after: ({ a }) => a.read('h', 20, 0) },
  { name: 'fdatasync', before: written, during: ({ a }) => a.fsync('h', true) },
  {
    name: 'fsync that is interrupted',
    before: written,
    during: async ({ a, world }) => {
      const call = a.fsync('h')
      await world.untilInHand()
      a.process.interrupt()
      await call
    },
    after: ({ a }) => a.read('h', 20, 0),
  },
  {
    name: 'fallocate',
    before: written,
    during: ({ a }) => a.fallocate('h', 0, 0, 10_000),
    after: ({ a }) => a.fstat('h'),
  },
  {
    name: 'fallocate by a user',
    before: async ({ a, user }) => {
      await a.file('f')
      await a.chown('f', 1234, 1234)
      await user.open('h', 'f', O.WRONLY)
    },
    during: ({ user }) => user.fallocate('h', 0, 0, 10_000),
    after: ({ a }) => a.stat('f'),
  },
  {
    name: 'fallocate that punches a hole',
    before: written,
    during: ({ a }) => a.fallocate('h', FallocateMode.KEEP_SIZE | FallocateMode.PUNCH_HOLE, 1, 4),
    after: ({ a }) => a.read('h', 20, 0),
  },
  {
    name: 'lseek',
    before: async ({ a }) => {
      await a.open('h', 'f', O.RDWR | O.CREAT)
      await a.write('h', 'data', 65536)
    },
    during: ({ a }) => a.seek('h', 0, SeekWhence.DATA),
  },
  {
    name: 'copy_file_range',
    before: async ({ a }) => {
      await a.file('f', 'what is to be copied')
      await a.open('from', 'f', O.RDONLY)
      await a.open('to', 'g', O.RDWR | O.CREAT)
    },
    during: ({ a }) => a.copy('from', 5, 'to', 1, 9),
    after: async ({ a }) => {
      await a.read('to', 20, 0)
      await a.readFile('g')
    },
  },
  {
    name: 'copy_file_range by a user',
    before: async ({ a, user }) => {
      await a.file('f', 'what is to be copied')
      await a.file('g')
      await a.chmod('g', 0o666)
      await user.open('from', 'f', O.RDONLY)
      await user.open('to', 'g', O.RDWR)
    },
    during: ({ user }) => user.copy('from', 5, 'to', 1, 9),
    after: ({ a }) => a.readFile('g'),
  },
]
