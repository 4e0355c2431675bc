import type { RuleId } from '../../src/kernel-model/rules.js'
import type { OpenAnswer, OpenFlagName, Scenario } from '../scenario.js'
import {
  CACHED,
  DIRECT,
  FLAGGED,
  FRESH,
  KEPT,
  OTHER,
  PARALLEL,
  call,
  opened,
  other,
  server,
  takeover,
} from './steps.js'

const alone = (name: string, about: readonly RuleId[], answer: OpenAnswer): Scenario => ({
  name,
  about,
  steps: [
    opened(call('open', 'a', 'f1', 'RDWR'), answer),
    call('pread', 'a', 8, 0),
    call('pwrite', 'a', 'data', 2),
    call('pread', 'a', 8, 0),
    call('fstat', 'a'),
    call('close', 'a'),
  ],
})

/** Flags that do not go with PASSTHROUGH. */
const unfit: readonly OpenFlagName[] = ['KEEP_CACHE', 'NONSEEKABLE', 'STREAM', 'CACHE_DIR']

/** The first open holds the file while the second is judged; then both end and it is opened once more. */
function pair(name: string, about: readonly RuleId[], first: OpenAnswer, second: OpenAnswer): Scenario {
  return {
    name,
    about,
    steps: [
      opened(call('open', 'a', 'f1', 'RDWR'), first),
      opened(other('open', 'b', 'f1', 'RDWR'), second),
      call('pwrite', 'a', 'AAA', 0),
      other('pwrite', 'b', 'BBB', 6),
      call('pread', 'a', 12, 0),
      other('pread', 'b', 12, 0),
      other('close', 'b'),
      opened(other('open', 'c', 'f1', 'RDONLY'), second),
      call('close', 'a'),
      opened(call('open', 'd', 'f1', 'RDONLY'), second),
      call('pread', 'd', 12, 0),
      server('backing-content', 'f1'),
    ],
  }
}

/** The judging of an open's answer, in its order, and io modes. */
export const opens: readonly Scenario[] = [
  alone('open: cached', ['O5c', 'C2'], CACHED),
  alone('open: direct', ['O3'], DIRECT),
  alone('open: parallel direct writes', ['O8'], PARALLEL),
  alone('open: parallel without direct', ['O2', 'O5c'], { flags: ['PARALLEL_DIRECT_WRITES'] }),
  alone('open: passthrough', ['O4f', 'C1'], FRESH),
  alone('open: passthrough and direct', ['O4f'], {
    flags: ['PASSTHROUGH', 'DIRECT_IO'],
    backing: 'fresh',
  }),
  alone('open: passthrough, direct and parallel', ['O4f'], {
    flags: ['PASSTHROUGH', 'DIRECT_IO', 'PARALLEL_DIRECT_WRITES'],
    backing: 'fresh',
  }),
  alone('open: passthrough without flush', ['O4f'], { flags: ['PASSTHROUGH', 'NOFLUSH'], backing: 'fresh' }),
  alone('open: cached without flush', ['O5c'], { flags: ['NOFLUSH'] }),
  alone('open: keep cache', ['O5c'], { flags: ['KEEP_CACHE'] }),
  alone('open: nonseekable', ['O5c'], { flags: ['NONSEEKABLE'] }),
  alone('open: stream', ['O5c'], { flags: ['STREAM'] }),
  ...unfit.map((flag) =>
    alone(`open: passthrough with ${flag}`, ['O4a'], { flags: ['PASSTHROUGH', flag], backing: 'fresh' }),
  ),
  alone('open: passthrough with the proposed flag', ['O4a'], FLAGGED),
  alone('open: the proposed flag alone', ['O5c'], { flags: ['PASSTHROUGH_INODE_CACHE'] }),
  alone('open: id 0', ['O4b'], { flags: ['PASSTHROUGH'], backing: 0 }),
  alone('open: id -1', ['O4b'], { flags: ['PASSTHROUGH'], backing: -1 }),
  alone('open: unknown id', ['O4b'], { flags: ['PASSTHROUGH'], backing: 99 }),
  alone('open: the flag with id 0', ['O4b'], {
    flags: ['PASSTHROUGH', 'PASSTHROUGH_INODE_CACHE'],
    backing: 'none',
  }),
  {
    ...alone('open: passthrough not negotiated', ['O4a'], { flags: ['PASSTHROUGH'], backing: 1 }),
    setup: { init: { without: ['PASSTHROUGH'] } },
  },
  {
    name: 'open: the backing file cannot be opened so',
    about: ['O4c'],
    steps: [
      server('register', '/sys/kernel/uevent_seqnum', { label: 'sys' }),
      opened(call('open', 'a', 'f1', 'RDONLY|DIRECT'), {
        flags: ['PASSTHROUGH'],
        backing: { label: 'sys' },
      }),
      opened(call('open', 'b', 'f1', 'RDONLY'), FRESH),
      call('pread', 'b', 5, 0),
    ],
  },
  pair('pair: cached and cached', ['O5c', 'C2'], CACHED, CACHED),
  pair('pair: cached, then passthrough', ['O4e', 'O4f'], CACHED, FRESH),
  pair('pair: passthrough, then cached', ['O1', 'O5c'], FRESH, CACHED),
  pair('pair: passthrough, then direct', ['O1', 'O3'], FRESH, DIRECT),
  pair('pair: direct, then passthrough', ['O4f'], DIRECT, FRESH),
  pair('pair: direct, then cached', ['O5c'], DIRECT, CACHED),
  pair('pair: cached, then direct', ['O3'], CACHED, DIRECT),
  pair('pair: cached, then parallel', ['O9'], CACHED, PARALLEL),
  pair('pair: parallel, then passthrough', ['O8', 'O4f'], PARALLEL, FRESH),
  pair('pair: passthrough, the same id', ['O4f'], FRESH, KEPT),
  pair('pair: passthrough, a fresh id of the same file', ['O4d'], FRESH, FRESH),
  pair('pair: passthrough, another file', ['O4d'], FRESH, OTHER),
  pair('pair: passthrough, an unknown id', ['O4b'], FRESH, { flags: ['PASSTHROUGH'], backing: 99 }),
  pair('pair: passthrough, the flag with a fresh id', ['O4a', 'O6'], FRESH, FLAGGED),
  pair('pair: the flag twice', ['O4a', 'O6'], FLAGGED, FLAGGED),
  pair('pair: the flag with id 0', ['O4a', 'O6'], FRESH, {
    flags: ['PASSTHROUGH', 'PASSTHROUGH_INODE_CACHE'],
    backing: 'none',
  }),
  pair('pair: passthrough and direct beside passthrough', ['O4f'], FRESH, {
    flags: ['PASSTHROUGH', 'DIRECT_IO'],
    backing: 'kept',
  }),
  {
    name: 'the backing file stays while one of two opens is left',
    about: ['C1', 'O4d', 'O4f'],
    steps: [
      opened(call('open', 'a', 'f1', 'RDWR'), FRESH),
      opened(other('open', 'b', 'f1', 'RDWR'), KEPT),
      other('close', 'b'),
      opened(other('open', 'c', 'f1', 'RDONLY'), CACHED),
      opened(other('open', 'd', 'f1', 'RDWR'), OTHER),
      opened(other('open', 'e', 'f1', 'RDWR'), FRESH),
      call('close', 'a'),
      opened(other('open', 'g', 'f1', 'RDONLY'), OTHER),
      other('pread', 'g', 8, 0),
    ],
  },
  {
    name: 'restart: a fresh id for a file that is held open',
    about: ['O4d'],
    steps: [
      opened(call('open', 'a', 'f1', 'RDWR'), FRESH),
      ...takeover(false),
      opened(other('open', 'b', 'f1', 'RDONLY'), FRESH),
      call('pwrite', 'a', 'goes on', 0),
      opened(other('open', 'c', 'f1', 'RDONLY'), FLAGGED),
      call('close', 'a'),
      opened(other('open', 'd', 'f1', 'RDONLY'), FRESH),
      other('pread', 'd', 10, 0),
    ],
  },
  {
    name: 'restart: the id that the inode holds',
    about: ['O4f'],
    steps: [
      opened(call('open', 'a', 'f1', 'RDWR'), FRESH),
      ...takeover(true),
      opened(other('open', 'b', 'f1', 'RDWR|APPEND'), KEPT),
      other('write', 'b', 'appended'),
      call('pread', 'a', 100, 0),
      call('fstat', 'a'),
    ],
  },
  {
    name: 'restart: the backing file was replaced meanwhile',
    about: ['O4d', 'C1'],
    steps: [
      opened(call('open', 'a', 'f1', 'RDONLY'), FRESH),
      server('replace', 'f1', 'another file'),
      ...takeover(false),
      opened(other('open', 'b', 'f1', 'RDONLY'), FRESH),
      opened(other('open', 'c', 'f1', 'RDONLY'), FLAGGED),
      call('pread', 'a', 12, 0),
      call('close', 'a'),
      opened(other('open', 'd', 'f1', 'RDONLY'), FRESH),
      other('pread', 'd', 12, 0),
    ],
  },
  {
    name: 'a child of the process that opened shares the open',
    about: ['C1'],
    steps: [
      opened(call('open', 'a', 'f1', 'RDWR'), FRESH),
      call('fork', 1),
      call('write', 'a', 'one'),
      other('write', 'a', 'two'),
      call('close', 'a'),
      opened({ p: 0, call: ['open', 'b', 'f1', 'RDONLY'] }, FRESH),
      other('pread', 'a', 8, 0),
      other('close', 'a'),
      opened({ p: 0, call: ['open', 'c', 'f1', 'RDONLY'] }, FRESH),
      call('pread', 'c', 8, 0),
    ],
  },
  {
    name: 'create: each kind of answer',
    about: ['O4f', 'O5c', 'O3', 'O4b'],
    steps: [
      opened(call('open', 'a', 'new1', 'RDWR|CREAT'), FRESH),
      call('write', 'a', 'by passthrough'),
      opened(call('open', 'b', 'new2', 'RDWR|CREAT|EXCL'), CACHED),
      call('write', 'b', 'cached'),
      opened(call('open', 'c', 'new3', 'WRONLY|CREAT'), DIRECT),
      call('write', 'c', 'direct'),
      opened(call('open', 'd', 'new4', 'RDWR|CREAT'), { flags: ['PASSTHROUGH'], backing: 99 }),
      call('stat', 'new1'),
      call('stat', 'new2'),
      call('stat', 'new3'),
      call('stat', 'new4'),
      server('backing-content', 'new1'),
    ],
  },
  {
    name: 'create: what is there already',
    steps: [
      call('open', 'a', 'f1', 'RDWR|CREAT'),
      call('open', 'b', 'f2', 'RDWR|CREAT|EXCL'),
      call('open', 'c', 'd', 'RDWR|CREAT'),
      call('open', 'e', 's', 'RDWR|CREAT|EXCL'),
      call('open', 'g', 's', 'RDONLY|NOFOLLOW'),
      call('open', 'h', 'f1', 'RDONLY|DIRECTORY'),
      call('open', 'i', 'd', 'RDWR'),
    ],
  },
  {
    name: 'no support for open ends passthrough',
    about: ['O4a'],
    setup: { init: { with: ['NO_OPEN_SUPPORT'] } },
    steps: [
      server('react', 'OPEN', { errno: 38 }),
      call('open', 'a', 'f1', 'RDWR'),
      call('pread', 'a', 5, 0),
      call('close', 'a'),
      opened(call('open', 'b', 'f2', 'RDWR'), FRESH),
      call('pread', 'b', 5, 0),
      opened(call('open', 'c', 'new', 'RDWR|CREAT'), FRESH),
      call('close', 'b'),
    ],
  },
  {
    name: 'an open that the server refuses',
    steps: [
      server('react', 'OPEN', { errno: 13 }),
      call('open', 'a', 'f1', 'RDWR'),
      call('open', 'b', 'f1', 'RDWR'),
      call('close', 'b'),
    ],
  },
]
