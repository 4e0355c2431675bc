import { AccessMask, StatxSync, XattrFlag } from '../../src/protocol/linux.js'
import { O } from '../run/open-flags.js'
import type { Operation, Scene } from './operation.js'

const fileWithLabel = async ({ a }: Scene): Promise<void> => {
  await a.file('f')
  await a.setxattr('f', 'user.a', 'old')
}

const openedFile = async ({ a }: Scene): Promise<void> => {
  await a.file('f')
  await a.open('h', 'f', O.RDWR)
}

/** What reads and changes attributes, extended ones too. */
export const attributes: readonly Operation[] = [
  {
    name: 'getattr',
    before: async ({ a, world }) => {
      await a.file('f')
      await world.dropCaches()
    },
    during: ({ a }) => a.stat('f'),
  },
  {
    name: 'statx',
    before: ({ a }) => a.file('f'),
    during: ({ a }) => a.statx('f', StatxSync.FORCE_SYNC),
  },
  {
    name: 'fstat of an unlinked file',
    before: async (scene) => {
      await openedFile(scene)
      await scene.a.unlink('f')
    },
    during: ({ a }) => a.fstat('h'),
  },
  { name: 'access', before: ({ a }) => a.file('f'), during: ({ user }) => user.access('f', AccessMask.W_OK) },
  { name: 'statfs', during: ({ a }) => a.statfs('.') },
  {
    name: 'chmod',
    before: ({ a }) => a.file('f'),
    during: ({ a }) => a.chmod('f', 0o640),
    after: ({ a }) => a.stat('f'),
  },
  {
    name: 'ftruncate of an unlinked file',
    before: async (scene) => {
      await openedFile(scene)
      await scene.a.unlink('f')
    },
    during: ({ a }) => a.ftruncate('h', 3),
    after: async ({ a }) => {
      await a.fstat('h')
      await a.read('h', 20, 0)
    },
  },
  {
    name: 'chown',
    before: ({ a }) => a.file('f'),
    during: ({ a }) => a.chown('f', 12, 34),
    after: ({ a }) => a.stat('f'),
  },
  {
    name: 'chown of a set-id file',
    before: async ({ a }) => {
      await a.file('f')
      await a.chmod('f', 0o6755)
    },
    during: ({ a }) => a.chown('f', 12, 34),
    after: ({ a }) => a.stat('f'),
  },
  {
    name: 'truncate',
    before: ({ a }) => a.file('f'),
    during: ({ a }) => a.truncate('f', 3),
    after: ({ a }) => a.readFile('f'),
  },
  {
    name: 'ftruncate',
    before: openedFile,
    during: ({ a }) => a.ftruncate('h', 12),
    after: ({ a }) => a.read('h', 20, 0),
  },
  { name: 'utimens', before: ({ a }) => a.file('f'), during: ({ a }) => a.utimes('f', 1e8, 2e8) },
  {
    name: 'getxattr',
    before: fileWithLabel,
    during: async ({ a }) => {
      await a.getxattr('f', 'user.a', 0)
      await a.getxattr('f', 'user.a')
    },
  },
  { name: 'getxattr of none', before: ({ a }) => a.file('f'), during: ({ a }) => a.getxattr('f', 'user.a') },
  {
    name: 'listxattr',
    before: fileWithLabel,
    during: async ({ a }) => {
      await a.listxattr('f', 0)
      await a.listxattr('f')
    },
  },
  {
    name: 'setxattr',
    before: fileWithLabel,
    during: ({ a }) => a.setxattr('f', 'user.a', 'new'),
    after: ({ a }) => a.getxattr('f', 'user.a'),
  },
  {
    name: 'setxattr that creates',
    before: ({ a }) => a.file('f'),
    during: ({ a }) => a.setxattr('f', 'user.a', 'new', XattrFlag.CREATE),
    after: ({ a }) => a.getxattr('f', 'user.a'),
  },
  {
    name: 'setxattr that may not replace',
    before: fileWithLabel,
    during: ({ a }) => a.setxattr('f', 'user.a', 'old', XattrFlag.CREATE),
  },
  {
    name: 'setxattr that replaces',
    before: fileWithLabel,
    during: ({ a }) => a.setxattr('f', 'user.a', 'new', XattrFlag.REPLACE),
    after: ({ a }) => a.getxattr('f', 'user.a'),
  },
  {
    name: 'removexattr',
    before: fileWithLabel,
    during: ({ a }) => a.removexattr('f', 'user.a'),
    after: ({ a }) => a.getxattr('f', 'user.a'),
  },
  {
    name: 'removexattr of none',
    before: ({ a }) => a.file('f'),
    during: ({ a }) => a.removexattr('f', 'user.a'),
  },
]
