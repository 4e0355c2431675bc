import type { Scenario, Step } from '../scenario.js'
import { CACHED, FRESH, call, machine, opened, other, server } from './steps.js'

/** Shows whether passthrough is in force, and that the mount works at all. */
const tryOut: readonly Step[] = [
  call('stat', 'f1'),
  server('register', 'f1'),
  opened(call('open', 'a', 'f1', 'RDWR'), FRESH),
  call('pread', 'a', 5, 0),
]

/** What INIT agrees on, and what it refuses. */
export const init: readonly Scenario[] = [
  {
    name: 'init: requests wait for its answer',
    about: ['I1'],
    setup: { reactions: [['INIT', 'hold']] },
    steps: [call('stat', 'f1'), machine('waiting'), server('answer-held'), other('stat', 'f2')],
  },
  {
    name: 'init: the server dies before its answer',
    about: ['I1', 'N1'],
    setup: { reactions: [['INIT', { die: 'read' }]] },
    steps: [call('stat', 'f1'), server('start', { resend: true, ids: true }), other('stat', 'f2')],
  },
  {
    name: 'init: an error',
    about: ['I2'],
    setup: { init: { errno: 71 } },
    steps: [call('stat', 'f1'), call('open', 'a', 'f1', 'RDONLY')],
  },
  {
    name: 'init: an earlier major version',
    about: ['I2'],
    setup: { init: { major: 6 } },
    steps: [call('stat', 'f1')],
  },
  {
    name: 'init: a later major version',
    about: ['I2'],
    setup: { init: { major: 8 } },
    steps: [call('stat', 'f1')],
  },
  {
    name: 'init: unknown flags',
    about: ['I3'],
    setup: { init: { extra: { flags: 0, flags2: 0xf000_0000 } } },
    steps: tryOut,
  },
  {
    name: 'init: passthrough with writeback cache',
    about: ['I4', 'B2', 'O4a'],
    setup: { init: { with: ['WRITEBACK_CACHE'] } },
    steps: tryOut,
  },
  {
    name: 'init: no stack depth',
    about: ['I5', 'B2', 'O4a'],
    setup: { init: { maxStackDepth: 0 } },
    steps: tryOut,
  },
  {
    name: 'init: too large a stack depth',
    about: ['I5', 'B2', 'O4a'],
    setup: { init: { maxStackDepth: 3 } },
    steps: tryOut,
  },
  {
    name: 'init: the largest stack depth',
    setup: { init: { maxStackDepth: 2 } },
    steps: tryOut,
  },
  {
    name: 'init: flags2 without INIT_EXT',
    about: ['I6', 'B2'],
    setup: { init: { without: ['INIT_EXT'] } },
    steps: tryOut,
  },
  {
    name: 'init: a small max_write',
    about: ['I7'],
    setup: { init: { maxWrite: 100 } },
    steps: [
      opened(call('open', 'a', 'f1', 'RDWR'), { flags: ['DIRECT_IO'] }),
      call('pwrite', 'a', 'x'.repeat(5000), 0),
      call('pread', 'a', 5, 4090),
    ],
  },
  {
    name: 'init: a max_write of two pages',
    setup: { init: { maxWrite: 8192 } },
    steps: [
      opened(call('open', 'a', 'f1', 'RDWR'), { flags: ['DIRECT_IO'] }),
      call('pwrite', 'a', 'x'.repeat(10_000), 0),
    ],
  },
  {
    name: 'init: an answer as short as that of minor version 22',
    about: ['I8'],
    setup: { init: { size: 24, minor: 22 } },
    steps: tryOut,
  },
  {
    name: 'init: an answer as short as any may be',
    about: ['I8'],
    setup: { init: { size: 8, minor: 9 } },
    steps: [call('stat', 'f1')],
  },
  {
    name: 'init: an answer without its last bytes',
    about: ['I8'],
    setup: { init: { size: 40 } },
    steps: tryOut,
  },
  {
    name: 'init: idmapped mounts without default_permissions',
    about: ['I9'],
    setup: { init: { with: ['ALLOW_IDMAP'] } },
    steps: [call('stat', 'f1')],
  },
  {
    name: 'init: writeback cache',
    setup: { init: { with: ['WRITEBACK_CACHE'], without: ['PASSTHROUGH'] } },
    steps: [
      opened(call('open', 'a', 'f1', 'RDWR'), CACHED),
      call('pwrite', 'a', 'written', 0),
      call('pread', 'a', 10, 0),
      call('fsync', 'a'),
      server('backing-content', 'f1'),
      call('pwrite', 'a', 'again', 3),
      call('close', 'a'),
      server('backing-content', 'f1'),
    ],
  },
]
