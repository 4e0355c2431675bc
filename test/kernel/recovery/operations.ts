import { FALLOC, O, RENAME, SEEK, XATTR } from '../../../src/native/index.js'
import type { Call } from '../../support/mount-client.js'

/** One operation of a file system, and the calls that make the kernel send it. */
export interface Case {
  /** As faulty-mirror.mjs names it. */
  readonly operation: string
  /** What sets it apart from other cases of the same operation. */
  readonly variant?: string
  readonly before: readonly Call[]
  /** During this call the server dies. */
  readonly call: Call
  readonly after?: readonly Call[]
  /** It writes evidence to the journal before it changes anything. */
  readonly intends?: boolean
  /** Reaches the server only without passthrough. */
  readonly io?: boolean
}

const MODE = { REGULAR: 0o100000, FIFO: 0o010000, DEVICE: 0o020000 }
const file = (name: string, data = 'contents'): Call[] => [
  ['open', `make ${name}`, name, O.CREAT | O.WRONLY],
  ['write', `make ${name}`, data],
  ['close', `make ${name}`],
]
const label: Call = ['setxattr', 'f', 'user.a', 'old']

/** Every operation that the kernel sends for a mirror, those that change something in several forms. */
export const cases: readonly Case[] = [
  { operation: 'lookup', before: file('f'), call: ['stat', 'f'] },
  { operation: 'lookup', variant: 'of nothing', before: [], call: ['stat', 'f'] },
  { operation: 'getattr', before: file('f'), call: ['basicStat', 'f'] },
  { operation: 'statx', before: file('f'), call: ['stat', 'f'] },
  { operation: 'readlink', before: [['symlink', 'there', 'l']], call: ['readlink', 'l'] },
  { operation: 'setattr', variant: 'mode', before: file('f'), call: ['chmod', 'f', 0o640] },
  { operation: 'setattr', variant: 'owner', before: file('f'), call: ['chown', 'f', 12, 34] },
  { operation: 'setattr', variant: 'size', before: file('f'), call: ['truncate', 'f', 3] },
  { operation: 'setattr', variant: 'times', before: file('f'), call: ['utimes', 'f', 1e9] },
  { operation: 'mkdir', before: [], call: ['mkdir', 'd'], after: file('d/f'), intends: true },
  { operation: 'mknod', before: [], call: ['mknod', 'p', MODE.FIFO | 0o600], intends: true },
  { operation: 'mknod', variant: 'of a file', before: [], call: ['mknod', 'f', MODE.REGULAR | 0o600] },
  { operation: 'mknod', variant: 'of a device', before: [], call: ['mknod', 'n', MODE.DEVICE | 0o600, 259] },
  { operation: 'symlink', before: [], call: ['symlink', 'there', 'l'], intends: true },
  {
    operation: 'link',
    before: file('f'),
    call: ['link', 'f', 'g'],
    after: [
      ['stat', 'f'],
      ['readFile', 'g'],
    ],
    intends: true,
  },
  { operation: 'unlink', before: file('f'), call: ['unlink', 'f'], after: [['stat', 'f']], intends: true },
  {
    operation: 'unlink',
    variant: 'of one name of two',
    before: [...file('f'), ['link', 'f', 'g']],
    call: ['unlink', 'f'],
    after: [['stat', 'g']],
  },
  {
    operation: 'unlink',
    variant: 'of an open file',
    before: [...file('f'), ['open', 'h', 'f', O.RDWR]],
    call: ['unlink', 'f'],
    after: [
      ['read', 'h', 0, 20],
      ['fstat', 'h'],
      ['write', 'h', 'more', 0],
      ['close', 'h'],
      ['readdir', '.'],
    ],
  },
  { operation: 'rmdir', before: [['mkdir', 'd']], call: ['rmdir', 'd'], intends: true },
  {
    operation: 'rmdir',
    variant: 'of a full one',
    before: [
      ['mkdir', 'd'],
      ['mkdir', 'd/e'],
    ],
    call: ['rmdir', 'd'],
  },
  {
    operation: 'rename',
    before: [['mkdir', 'd'], ...file('f')],
    call: ['rename', 'f', 'd/g'],
    after: [['readFile', 'd/g']],
    intends: true,
  },
  {
    operation: 'rename',
    variant: 'over another',
    before: [...file('f'), ...file('g', 'other'), ['open', 'h', 'g', O.RDONLY]],
    call: ['rename', 'f', 'g'],
    after: [
      ['readFile', 'g'],
      ['read', 'h', 0, 20],
      ['fstat', 'h'],
      ['close', 'h'],
    ],
  },
  {
    operation: 'rename',
    variant: 'of a directory over another',
    before: [['mkdir', 'd'], ['mkdir', 'e'], ...file('d/f')],
    call: ['rename', 'd', 'e'],
    after: [['readFile', 'e/f']],
  },
  {
    operation: 'rename',
    variant: 'over a full directory',
    before: [['mkdir', 'd'], ['mkdir', 'e'], ...file('e/f')],
    call: ['rename', 'd', 'e'],
  },
  {
    operation: 'rename',
    variant: 'that exchanges',
    before: [...file('f'), ['mkdir', 'd'], ...file('d/g')],
    call: ['rename', 'f', 'd', RENAME.EXCHANGE],
    after: [
      ['readFile', 'd'],
      ['readFile', 'f/g'],
    ],
  },
  {
    operation: 'rename',
    variant: 'that must not replace',
    before: file('f'),
    call: ['rename', 'f', 'g', RENAME.NOREPLACE],
    after: [['readFile', 'g']],
  },
  {
    operation: 'rename',
    variant: 'that leaves a whiteout',
    before: file('f'),
    call: ['rename', 'f', 'g', RENAME.WHITEOUT],
    after: [['readFile', 'g']],
  },
  {
    operation: 'open',
    before: file('f'),
    call: ['open', 'h', 'f', O.RDWR],
    after: [
      ['read', 'h', 0, 20],
      ['write', 'h', 'more', 4],
      ['close', 'h'],
    ],
  },
  {
    operation: 'open',
    variant: 'with O_TRUNC',
    before: file('f'),
    call: ['open', 'h', 'f', O.RDWR | O.TRUNC],
    after: [
      ['write', 'h', 'new'],
      ['close', 'h'],
    ],
    intends: true,
  },
  {
    operation: 'create',
    before: [],
    call: ['open', 'h', 'f', O.RDWR | O.CREAT],
    after: [
      ['write', 'h', 'new'],
      ['fstat', 'h'],
      ['close', 'h'],
    ],
    intends: true,
  },
  {
    operation: 'create',
    variant: 'with O_EXCL',
    before: [],
    call: ['open', 'h', 'f', O.WRONLY | O.CREAT | O.EXCL, 0o400],
    after: [
      ['write', 'h', 'new'],
      ['close', 'h'],
    ],
  },
  {
    operation: 'tmpfile',
    before: [],
    call: ['open', 'h', '.', O.RDWR | O.TMPFILE],
    after: [
      ['write', 'h', 'new'],
      ['linkHandle', 'h', 'f'],
      ['close', 'h'],
      ['stat', 'f'],
    ],
  },
  {
    operation: 'flush',
    before: [...file('f'), ['open', 'h', 'f', O.WRONLY], ['write', 'h', 'more']],
    call: ['close', 'h'],
    io: true,
  },
  {
    operation: 'release',
    // One that the server has opened itself.
    before: [['open', 'h', 'f', O.WRONLY | O.CREAT]],
    call: ['close', 'h'],
  },
  {
    operation: 'fsync',
    before: [
      ['open', 'h', 'f', O.RDWR | O.CREAT],
      ['write', 'h', 'data'],
    ],
    call: ['fsync', 'h'],
    after: [['close', 'h']],
  },
  {
    operation: 'fallocate',
    before: [
      ['open', 'h', 'f', O.RDWR | O.CREAT],
      ['write', 'h', 'data'],
    ],
    call: ['fallocate', 'h', FALLOC.KEEP_SIZE | FALLOC.PUNCH_HOLE, 1, 2],
    after: [['close', 'h']],
  },
  {
    operation: 'lseek',
    before: [
      ['open', 'h', 'f', O.RDWR | O.CREAT],
      ['write', 'h', 'data', 65536],
    ],
    call: ['seek', 'h', 0, SEEK.DATA],
    after: [['close', 'h']],
  },
  {
    operation: 'copyFileRange',
    before: [
      ...file('f', 'what is to be copied'),
      ['open', 'from', 'f', O.RDONLY],
      ['open', 'to', 'g', O.RDWR | O.CREAT],
    ],
    call: ['copy', 'from', 5, 'to', 1, 9],
    after: [
      ['close', 'from'],
      ['close', 'to'],
      ['readFile', 'g'],
    ],
  },
  {
    operation: 'opendir',
    before: [['mkdir', 'd'], ...file('d/f')],
    call: ['open', 'h', 'd', O.RDONLY | O.DIRECTORY],
    after: [
      ['entries', 'h', 4096],
      ['close', 'h'],
    ],
  },
  {
    operation: 'readdir',
    before: [['mkdir', 'd'], ...file('d/f'), ['open', 'h', 'd', O.RDONLY | O.DIRECTORY]],
    call: ['entries', 'h', 4096],
    after: [['close', 'h']],
  },
  {
    operation: 'releasedir',
    before: [
      ['mkdir', 'd'],
      ['open', 'h', 'd', O.RDONLY | O.DIRECTORY],
      ['entries', 'h', 4096],
    ],
    call: ['close', 'h'],
  },
  {
    operation: 'fsyncdir',
    before: [
      ['mkdir', 'd'],
      ['open', 'h', 'd', O.RDONLY | O.DIRECTORY],
    ],
    call: ['fsync', 'h'],
    after: [['close', 'h']],
  },
  { operation: 'statfs', before: file('f'), call: ['statfs', 'f'] },
  { operation: 'getxattr', before: [...file('f'), label], call: ['getxattr', 'f', 'user.a'] },
  { operation: 'listxattr', before: [...file('f'), label], call: ['listxattr', 'f'] },
  {
    operation: 'setxattr',
    variant: 'that creates',
    before: file('f'),
    call: ['setxattr', 'f', 'user.a', 'new', XATTR.CREATE],
    after: [['getxattr', 'f', 'user.a']],
    intends: true,
  },
  {
    operation: 'setxattr',
    variant: 'that replaces',
    before: [...file('f'), label],
    call: ['setxattr', 'f', 'user.a', 'new', XATTR.REPLACE],
    after: [['getxattr', 'f', 'user.a']],
  },
  {
    operation: 'setxattr',
    variant: 'that may not replace',
    before: [...file('f'), label],
    call: ['setxattr', 'f', 'user.a', 'old', XATTR.CREATE],
  },
  {
    operation: 'removexattr',
    before: [...file('f'), label],
    call: ['removexattr', 'f', 'user.a'],
    after: [['getxattr', 'f', 'user.a']],
    intends: true,
  },
  { operation: 'removexattr', variant: 'of none', before: file('f'), call: ['removexattr', 'f', 'user.a'] },
  {
    operation: 'read',
    before: [...file('f', 'what is read'), ['open', 'h', 'f', O.RDONLY]],
    call: ['read', 'h', 0, 20],
    after: [['close', 'h']],
    io: true,
  },
  {
    operation: 'write',
    before: [...file('f'), ['open', 'h', 'f', O.RDWR]],
    call: ['write', 'h', 'new', 4],
    after: [
      ['read', 'h', 0, 20],
      ['close', 'h'],
    ],
    io: true,
  },
  {
    operation: 'write',
    variant: 'that appends',
    before: [...file('f'), ['open', 'h', 'f', O.RDWR | O.APPEND]],
    call: ['write', 'h', 'new'],
    after: [
      ['write', 'h', 'er'],
      ['fstat', 'h'],
      ['close', 'h'],
    ],
    io: true,
  },
]

/** Where the server dies: see faulty-mirror.mjs. */
export type Point = 'before' | 'intended' | 'done' | 'committed' | 'answered'

/** An operation that changes nothing is asked at fewer of them: it is simply done again. */
export function pointsOf({ operation, intends }: Case): Point[] {
  if (intends === true) return ['before', 'intended', 'done', 'committed', 'answered']
  return CHANGING.includes(operation) ? ['before', 'done', 'answered'] : ['done', 'answered']
}

const CHANGING = ['mknod', 'link', 'unlink', 'rmdir', 'rename', 'create', 'setxattr', 'removexattr', 'open']
