import { FlockOperation } from '../../src/protocol/linux.js'
import { O } from '../run/open-flags.js'
import type { Operation, Scene } from './operation.js'

const openedFile = async ({ a }: Scene): Promise<void> => {
  await a.file('f')
  await a.open('h', 'f', O.RDWR)
}

/** What opens, closes and locks files and directories. */
export const files: readonly Operation[] = [
  {
    name: 'open',
    before: ({ a }) => a.file('f'),
    during: ({ a }) => a.open('h', 'f', O.RDWR),
    after: async ({ a }) => {
      await a.read('h', 20, 0)
      await a.write('h', 'more', 4)
      await a.close('h')
    },
  },
  {
    name: 'open of an open file',
    before: openedFile,
    during: ({ b }) => b.open('i', 'f', O.RDONLY),
    after: async ({ a, b }) => {
      await a.write('h', 'new', 0)
      await b.read('i', 20, 0)
      await a.close('h')
      await b.read('i', 20, 0)
    },
  },
  {
    name: 'open with O_TRUNC',
    before: ({ a }) => a.file('f'),
    during: ({ a }) => a.open('h', 'f', O.RDWR | O.TRUNC),
    after: async ({ a }) => {
      await a.write('h', 'new')
      await a.close('h')
      await a.readFile('f')
    },
  },
  {
    name: 'open without permission',
    before: async ({ a }) => {
      await a.file('f')
      await a.chmod('f', 0o600)
    },
    during: ({ user }) => user.open('h', 'f', O.RDWR),
  },
  {
    name: 'open by a process that is killed',
    before: ({ a }) => a.file('f'),
    during: async ({ world }) => {
      // What its call comes to nobody sees: it may have been read by the server, or not yet.
      const doomed = world.client('doomed')
      const call = doomed.open('h', 'f', O.RDWR)
      await world.untilInHand()
      await Promise.all([doomed.process.kill(), call])
    },
    after: ({ a }) => a.readFile('f'),
  },
  {
    name: 'create',
    during: ({ a }) => a.open('h', 'f', O.RDWR | O.CREAT),
    after: async ({ a }) => {
      await a.write('h', 'new')
      await a.fstat('h')
      await a.close('h')
    },
  },
  {
    name: 'create with O_EXCL',
    during: ({ a }) => a.open('h', 'f', O.WRONLY | O.CREAT | O.EXCL, 0o400),
    after: ({ a }) => a.write('h', 'new'),
  },
  {
    name: 'create by a user',
    before: async ({ a }) => {
      await a.mkdir('shared')
      await a.chmod('shared', 0o1777)
    },
    during: ({ user }) => user.open('h', 'shared/f', O.RDWR | O.CREAT | O.EXCL, 0o600),
    after: async ({ user, a }) => {
      await user.write('h', 'mine')
      await a.readFile('shared/f')
    },
  },
  {
    name: 'create by two at once',
    during: async ({ a, b }) => {
      await Promise.all([a.open('h', 'f', O.RDWR | O.CREAT), b.open('h', 'g', O.RDWR | O.CREAT | O.EXCL)])
    },
    after: async ({ a, b }) => {
      await a.write('h', 'of a')
      await b.write('h', 'of b')
    },
  },
  {
    name: 'tmpfile',
    during: ({ a }) => a.open('h', '.', O.RDWR | O.TMPFILE),
    after: async ({ a }) => {
      await a.write('h', 'new')
      await a.read('h', 20, 0)
      await a.fstat('h')
      await a.close('h')
    },
  },
  { name: 'close', before: openedFile, during: ({ a }) => a.close('h'), after: ({ a }) => a.readFile('f') },
  {
    name: 'close after a write',
    throughServer: true,
    before: async (scene) => {
      await openedFile(scene)
      await scene.a.write('h', 'more')
    },
    during: ({ a }) => a.close('h'),
    after: ({ a }) => a.readFile('f'),
  },
  {
    name: 'close of one of two',
    before: async (scene) => {
      await openedFile(scene)
      await scene.b.open('i', 'f', O.RDONLY)
    },
    during: ({ a }) => a.close('h'),
    after: async ({ b }) => {
      await b.read('i', 20, 0)
      await b.close('i')
    },
  },
  {
    name: 'close of an unlinked file',
    before: async (scene) => {
      await openedFile(scene)
      await scene.a.unlink('f')
    },
    during: ({ a }) => a.close('h'),
  },
  {
    name: 'close and open again',
    before: openedFile,
    during: async ({ a }) => {
      await a.close('h')
      await a.open('h', 'f', O.RDONLY)
    },
    after: ({ a }) => a.read('h', 20, 0),
  },
  {
    name: 'opendir',
    before: async ({ a }) => {
      await a.mkdir('d')
      await a.file('d/f')
    },
    during: ({ a }) => a.open('h', 'd', O.RDONLY | O.DIRECTORY),
    after: async ({ a }) => {
      await a.rest('h')
      await a.close('h')
    },
  },
  {
    name: 'getdents',
    before: async ({ a, world }) => {
      await a.mkdir('d')
      for (const name of ['f', 'g', 'k']) await a.file(`d/${name}`)
      await world.dropCaches()
      await a.open('h', 'd', O.RDONLY | O.DIRECTORY)
    },
    during: ({ a }) => a.rest('h'),
    after: ({ a }) => a.stat('d/g'),
  },
  {
    name: 'getdents, the second of several',
    before: async ({ a, world }) => {
      await a.mkdir('d')
      for (let index = 0; index < 150; index++) await a.symlink('there', `d/${'long'.repeat(10)}${index}`)
      await world.dropCaches()
      await a.open('h', 'd', O.RDONLY | O.DIRECTORY)
      await a.entries('h')
    },
    during: ({ a }) => a.entries('h'),
    after: ({ a }) => a.rest('h'),
  },
  {
    name: 'closedir',
    before: async ({ a }) => {
      await a.mkdir('d')
      await a.open('h', 'd', O.RDONLY | O.DIRECTORY)
      await a.entries('h')
    },
    during: ({ a }) => a.close('h'),
  },
  {
    name: 'fsyncdir',
    before: async ({ a }) => {
      await a.mkdir('d')
      await a.open('h', 'd', O.RDONLY | O.DIRECTORY)
    },
    during: ({ a }) => a.fsync('h'),
    after: ({ a }) => a.entries('h'),
  },
  {
    name: 'flock',
    before: async (scene) => {
      await openedFile(scene)
      await scene.b.open('i', 'f', O.RDWR)
      await scene.a.flock('h', FlockOperation.EX)
    },
    during: ({ b }) => b.flock('i', FlockOperation.EX | FlockOperation.NB),
    after: async ({ a, b }) => {
      await a.close('h')
      await b.flock('i', FlockOperation.EX | FlockOperation.NB)
    },
  },
  {
    name: 'record lock',
    before: async (scene) => {
      await openedFile(scene)
      await scene.b.open('i', 'f', O.RDWR)
    },
    during: ({ a }) => a.setLock('h', { type: 'write', start: 0, end: 10 }),
    after: ({ b }) => b.setLock('i', { type: 'write', start: 5, end: 6 }),
  },
]
