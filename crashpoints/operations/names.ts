import { FileMode, RenameFlag } from '../../src/protocol/linux.js'
import { O } from '../run/open-flags.js'
import type { Operation } from './operation.js'

/** What makes, takes away or moves names. */
export const names: readonly Operation[] = [
  { name: 'lookup', before: ({ a }) => a.mkdir('d'), during: ({ a }) => a.stat('d/../d') },
  { name: 'lookup of nothing', during: ({ a }) => a.stat('f') },
  {
    name: 'lookup on a path',
    before: async ({ a, world }) => {
      await a.mkdir('d')
      await a.mkdir('d/e')
      await a.file('d/e/f')
      await world.dropCaches()
    },
    during: ({ a }) => a.stat('d/e/f'),
    after: ({ a }) => a.readFile('d/e/f'),
  },
  { name: 'mkdir', during: ({ a }) => a.mkdir('d', 0o750), after: ({ a }) => a.file('d/f') },
  {
    name: 'mkdir by a user',
    before: async ({ a }) => {
      await a.mkdir('shared')
      await a.chmod('shared', 0o2777)
    },
    during: ({ user }) => user.mkdir('shared/d'),
    after: ({ user }) => user.rmdir('shared/d'),
  },
  { name: 'mkdir of what is there', before: ({ a }) => a.mkdir('d'), during: ({ a }) => a.mkdir('d') },
  { name: 'mknod', during: ({ a }) => a.mknod('p', FileMode.IFIFO | 0o600) },
  {
    name: 'mknod of a file',
    during: ({ a }) => a.mknod('f', FileMode.IFREG | 0o640),
    after: ({ a }) => a.readFile('f'),
  },
  { name: 'mknod of a device', during: ({ a }) => a.mknod('n', FileMode.IFCHR | 0o600, 259) },
  { name: 'symlink', during: ({ a }) => a.symlink('there', 'l'), after: ({ a }) => a.readlink('l') },
  {
    name: 'readlink',
    before: async ({ a, world }) => {
      await a.symlink('there', 'l')
      await world.dropCaches()
    },
    during: ({ a }) => a.readlink('l'),
  },
  {
    name: 'link',
    before: ({ a }) => a.file('f'),
    during: ({ a }) => a.link('f', 'g'),
    after: async ({ a }) => {
      await a.stat('f')
      await a.readFile('g')
    },
  },
  {
    name: 'link of an open file',
    before: async ({ a }) => {
      await a.mkdir('d')
      await a.file('f')
      await a.open('h', 'f', O.RDWR)
    },
    during: ({ a }) => a.link('f', 'd/g'),
    after: async ({ a }) => {
      await a.unlink('f')
      await a.read('h', 20, 0)
      await a.readFile('d/g')
    },
  },
  {
    name: 'link to what is there',
    before: async ({ a }) => {
      await a.file('f')
      await a.file('g', 'other')
    },
    during: ({ a }) => a.link('f', 'g'),
  },
  {
    name: 'unlink',
    before: ({ a }) => a.file('f'),
    during: ({ a }) => a.unlink('f'),
    after: ({ a }) => a.stat('f'),
  },
  { name: 'unlink of nothing', during: ({ a }) => a.unlink('f') },
  {
    name: 'unlink and make again',
    before: ({ a }) => a.file('f'),
    during: async ({ a }) => {
      await a.unlink('f')
      await a.file('f', 'another')
    },
    after: ({ a }) => a.readFile('f'),
  },
  {
    name: 'unlink of one name of two',
    before: async ({ a }) => {
      await a.file('f')
      await a.link('f', 'g')
    },
    during: ({ a }) => a.unlink('f'),
    after: async ({ a }) => {
      await a.stat('g')
      await a.readFile('g')
    },
  },
  {
    name: 'unlink of an open file',
    before: async ({ a }) => {
      await a.file('f')
      await a.open('h', 'f', O.RDWR)
    },
    during: ({ a }) => a.unlink('f'),
    after: async ({ a }) => {
      await a.fstat('h')
      await a.read('h', 20, 0)
      await a.write('h', 'more', 4)
      await a.read('h', 20, 0)
      await a.close('h')
      await a.stat('f')
    },
  },
  {
    name: 'unlink of the last of two names of an open file',
    before: async ({ a }) => {
      await a.file('f')
      await a.link('f', 'g')
      await a.open('h', 'g', O.RDWR)
      await a.unlink('f')
    },
    during: ({ a }) => a.unlink('g'),
    after: async ({ a }) => {
      await a.fstat('h')
      await a.read('h', 20, 0)
      await a.close('h')
    },
  },
  { name: 'rmdir', before: ({ a }) => a.mkdir('d'), during: ({ a }) => a.rmdir('d') },
  {
    name: 'rmdir of a working directory',
    before: async ({ a, b }) => {
      await a.mkdir('d')
      await b.chdir('d')
    },
    during: ({ a }) => a.rmdir('d'),
    after: async ({ b }) => {
      await b.stat('.')
      await b.mkdir('e')
    },
  },
  {
    name: 'rmdir of a full one',
    before: async ({ a }) => {
      await a.mkdir('d')
      await a.mkdir('d/e')
    },
    during: ({ a }) => a.rmdir('d'),
  },
  {
    name: 'rename',
    before: async ({ a }) => {
      await a.mkdir('d')
      await a.file('f')
    },
    during: ({ a }) => a.rename('f', 'd/g'),
    after: ({ a }) => a.readFile('d/g'),
  },
  {
    name: 'rename of an open file',
    before: async ({ a }) => {
      await a.mkdir('d')
      await a.file('f')
      await a.open('h', 'f', O.RDWR)
    },
    during: ({ a }) => a.rename('f', 'd/g'),
    after: async ({ a }) => {
      await a.read('h', 20, 0)
      await a.fstat('h')
      await a.write('h', 'new', 0)
      await a.readFile('d/g')
    },
  },
  {
    name: 'rename over an open file',
    before: async ({ a }) => {
      await a.file('f')
      await a.file('g', 'other')
      await a.open('h', 'g', O.RDONLY)
    },
    during: ({ a }) => a.rename('f', 'g'),
    after: async ({ a }) => {
      await a.readFile('g')
      await a.read('h', 20, 0)
      await a.fstat('h')
    },
  },
  {
    name: 'rename over one name of two',
    losesNameOfMany: true,
    before: async ({ a }) => {
      await a.file('f')
      await a.file('g', 'other')
      await a.link('g', 'k')
    },
    during: ({ a }) => a.rename('f', 'g'),
    after: ({ a }) => a.readFile('k'),
  },
  {
    name: 'rename to another name of the same',
    before: async ({ a }) => {
      await a.file('f')
      await a.link('f', 'g')
    },
    during: ({ a }) => a.rename('f', 'g'),
  },
  {
    name: 'rename of a directory over another',
    before: async ({ a }) => {
      await a.mkdir('d')
      await a.mkdir('e')
      await a.file('d/f')
    },
    during: ({ a }) => a.rename('d', 'e'),
    after: ({ a }) => a.readFile('e/f'),
  },
  {
    name: 'rename over a full directory',
    before: async ({ a }) => {
      await a.mkdir('d')
      await a.mkdir('e')
      await a.file('e/f')
    },
    during: ({ a }) => a.rename('d', 'e'),
  },
  {
    name: 'rename that exchanges',
    before: async ({ a }) => {
      await a.file('f')
      await a.mkdir('d')
      await a.file('d/g')
    },
    during: ({ a }) => a.rename('f', 'd', RenameFlag.EXCHANGE),
    after: async ({ a }) => {
      await a.readFile('d')
      await a.readFile('f/g')
    },
  },
  {
    name: 'rename that must not replace',
    before: ({ a }) => a.file('f'),
    during: ({ a }) => a.rename('f', 'g', RenameFlag.NOREPLACE),
    after: ({ a }) => a.readFile('g'),
  },
  {
    name: 'rename that may not replace',
    before: async ({ a }) => {
      await a.file('f')
      await a.file('g', 'other')
    },
    during: ({ a }) => a.rename('f', 'g', RenameFlag.NOREPLACE),
  },
  {
    name: 'rename that leaves a whiteout',
    before: ({ a }) => a.file('f'),
    during: ({ a }) => a.rename('f', 'g', RenameFlag.WHITEOUT),
    after: ({ a }) => a.readFile('g'),
  },
  {
    name: 'rename there and back',
    before: ({ a }) => a.file('f'),
    during: async ({ a }) => {
      await a.rename('f', 'g')
      await a.rename('g', 'f')
    },
    after: ({ a }) => a.readFile('f'),
  },
  {
    name: 'forget',
    before: async ({ a }) => {
      await a.file('f')
    },
    during: ({ world }) => world.dropCaches(),
    after: ({ a }) => a.readFile('f'),
  },
  {
    name: 'forget of many',
    before: async ({ a }) => {
      await a.mkdir('d')
      await a.file('d/f')
      await a.file('g')
      await a.symlink('there', 'l')
      await a.stat('g')
    },
    during: ({ world }) => world.dropCaches(),
    after: ({ a }) => a.readFile('d/f'),
  },
]
