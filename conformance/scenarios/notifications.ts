import type { Scenario } from '../scenario.js'
import { CACHED, FRESH, call, opened, other, server } from './steps.js'

/** What a server tells the kernel unasked. */
export const notifications: readonly Scenario[] = [
  {
    name: 'notify: an inode that is known, and one that is not',
    about: ['N5'],
    steps: [
      call('stat', 'f1'),
      server('notify', { code: 'INVAL_INODE', path: 'f1', off: -1, len: 0 }),
      call('stat', 'f1'),
      server('notify', { code: 'INVAL_INODE', path: 'f2', off: -1, len: 0 }),
      server('notify', { code: 'INVAL_INODE', path: '#99', off: -1, len: 0 }),
    ],
  },
  {
    name: 'notify: cached pages',
    steps: [
      opened(call('open', 'a', 'f1', 'RDONLY'), CACHED),
      call('pread', 'a', 5, 0),
      server('replace', 'f1', 'another'),
      call('pread', 'a', 5, 0),
      server('notify', { code: 'INVAL_INODE', path: 'f1', off: 0, len: 0 }),
      call('pread', 'a', 5, 0),
    ],
  },
  {
    name: 'notify: an entry',
    about: ['N5'],
    steps: [
      call('stat', 'f1'),
      server('notify', { code: 'INVAL_ENTRY', parent: '', name: 'f1', expireOnly: false }),
      call('stat', 'f1'),
      server('notify', { code: 'INVAL_ENTRY', parent: '', name: 'f2', expireOnly: false }),
      server('notify', { code: 'INVAL_ENTRY', parent: '#99', name: 'f1', expireOnly: false }),
      server('notify', { code: 'INVAL_ENTRY', parent: 'f1', name: 'f1', expireOnly: false }),
    ],
  },
  {
    name: 'notify: an entry expires',
    steps: [
      call('stat', 'd/g'),
      server('notify', { code: 'INVAL_ENTRY', parent: 'd', name: 'g', expireOnly: true }),
      call('stat', 'd/g'),
      server('notify', { code: 'INVAL_ENTRY', parent: '', name: 'd', expireOnly: true }),
      call('stat', 'd/g'),
    ],
  },
  {
    name: 'notify: a deleted entry',
    about: ['N5'],
    steps: [
      opened(call('open', 'a', 'f1', 'RDONLY'), FRESH),
      server('notify', { code: 'DELETE', parent: '', name: 'f1', child: 'f2' }),
      server('notify', { code: 'DELETE', parent: '', name: 'f1', child: 'f1' }),
      call('stat', 'f1'),
      call('fstat', 'a'),
      call('pread', 'a', 5, 0),
      call('stat', 'd/g'),
      server('notify', { code: 'DELETE', parent: '', name: 'd', child: 'd' }),
    ],
  },
  {
    name: 'notify: an entry that a name is too long for',
    about: ['N4'],
    steps: [
      call('stat', 'f1'),
      server('notify', { code: 'INVAL_ENTRY', parent: '', name: 'n'.repeat(5000), expireOnly: false }),
      server('notify', { code: 'DELETE', parent: '', name: 'n'.repeat(5000), child: 'f1' }),
    ],
  },
  {
    name: 'notify: what is malformed',
    about: ['N3'],
    steps: [
      // Code 99; a RESEND with a body; an INVAL_INODE without its structure.
      server('write', '10000000630000000000000000000000'),
      server('write', '1800000007000000000000000000000000000000' + '00000000'),
      server('write', '10000000020000000000000000000000'),
      server('write', '10000000000000000000000000000000'),
    ],
  },
  {
    name: 'notify: data are put into the cache and fetched from it',
    about: ['N6', 'N5'],
    steps: [
      opened(call('open', 'a', 'f1', 'RDONLY'), CACHED),
      call('pread', 'a', 5, 0),
      server('notify', { code: 'STORE', path: 'f1', offset: 0, data: 'stored' }),
      call('pread', 'a', 8, 0),
      server('notify', { code: 'RETRIEVE', path: 'f1', offset: 0, size: 10 }),
      server('notify', { code: 'RETRIEVE', path: '#99', offset: 0, size: 10 }),
      server('notify', { code: 'STORE', path: '#99', offset: 0, data: 'stored' }),
      server('notify', { code: 'RETRIEVE', path: 'f1', offset: 5000, size: 10 }),
    ],
  },
  {
    name: 'notify: every name is looked up again',
    steps: [
      call('stat', 'f1'),
      call('stat', 'd/g'),
      server('notify', { code: 'INC_EPOCH' }),
      call('stat', 'f1'),
      call('stat', 'd/g'),
      call('stat', 'd/g'),
    ],
  },
  {
    name: 'notify: nodes that nobody uses are forgotten',
    about: ['D10'],
    steps: [
      call('stat', 'f1'),
      opened(other('open', 'b', 'f2', 'RDONLY'), CACHED),
      call('stat', 'd/g'),
      server('notify', { code: 'PRUNE', paths: ['f1', 'f2', 'd', 'd/g', '#99'] }),
      call('stat', 'f1'),
      call('stat', 'f2'),
      call('stat', 'd/g'),
    ],
  },
]
