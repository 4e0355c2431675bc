import type { RuleId } from '../../src/kernel-model/rules.js'
import type { OpcodeName } from '../../src/protocol/opcode.js'
import type { Call, Malformation, Scenario, Step } from '../scenario.js'
import { CACHED, DIRECT, FRESH, call, opened, other, server } from './steps.js'

function spoilt(
  opcode: OpcodeName,
  how: Malformation,
  about: readonly RuleId[],
  step: Step,
  before: readonly Step[] = [],
): Scenario {
  return {
    name: `reply: ${opcode} ${how}`,
    about,
    steps: [
      ...before,
      server('react', opcode, { malformed: how }),
      step,
      other('lstat', 'f1'),
      other('stat', 'f2'),
    ],
  }
}

const stat = call('stat', 'f1')
const create = opened(call('open', 'a', 'new', 'RDWR|CREAT'), FRESH)
const openIt = opened(call('open', 'a', 'f1', 'RDWR'), CACHED)
const about: Readonly<Partial<Record<Malformation, RuleId>>> = {
  'cut-header': 'R1',
  'length-field': 'R1',
  'positive-error': 'R2',
  'huge-error': 'R2',
  'other-unique': 'R3',
  'error-with-body': 'R4',
  'short-body': 'R5',
  'long-body': 'R5',
  'too-much': 'R5',
}
const everywhere = Object.keys(about) as Malformation[]
const made: readonly (readonly [OpcodeName, Call])[] = [
  ['MKDIR', ['mkdir', 'x', 0o755]],
  ['SYMLINK', ['symlink', 'f1', 'x']],
  ['LINK', ['link', 'f1', 'x']],
  ['MKNOD', ['mknod', 'x', 0o100644]],
]

/** Answers that the driver refuses. */
export const replies: readonly Scenario[] = [
  ...everywhere.map((how) => spoilt('LOOKUP', how, [about[how]!], stat)),
  ...everywhere.map((how) => spoilt('OPEN', how, [about[how]!], openIt)),
  ...(['short-body', 'long-body', 'error-with-body'] as const).flatMap((how) => [
    spoilt('CREATE', how, [about[how]!], create),
    spoilt('FLUSH', how, [], call('close', 'a'), [openIt]),
    spoilt('UNLINK', how, [], call('unlink', 'f2')),
    spoilt('READLINK', how, [], call('readlink', 's')),
    spoilt('STATFS', how, [], call('statfs', '.')),
  ]),
  spoilt('LOOKUP', 'odd-unique', [], stat),
  spoilt('LOOKUP', 'bad-type', [], stat),
  spoilt('LOOKUP', 'bad-size', [], stat),
  spoilt('LOOKUP', 'zero-nodeid', [], stat),
  spoilt('LOOKUP', 'root-nodeid', [], stat),
  spoilt('CREATE', 'zero-nodeid', [], create),
  spoilt('CREATE', 'root-nodeid', [], create),
  spoilt('CREATE', 'bad-type', [], create),
  spoilt('CREATE', 'bad-size', [], create),
  ...made.flatMap(([opcode, what]) =>
    (['zero-nodeid', 'root-nodeid', 'bad-type'] as const).map((how) =>
      spoilt(opcode, how, [], call(...what)),
    ),
  ),
  spoilt('SETATTR', 'bad-type', [], call('chmod', 'f1', 0o600)),
  spoilt('SETATTR', 'bad-size', [], call('truncate', 'f1', 3)),
  {
    name: 'reply: GETATTR of another type',
    setup: { attrValid: 0 },
    steps: [
      call('stat', 'f1'),
      server('react', 'GETATTR', { malformed: 'bad-type' }),
      openIt,
      call('fstat', 'a'),
      call('fstat', 'a'),
      call('stat', 'f1'),
    ],
  },
  {
    name: 'reply: GETATTR with too large a size',
    setup: { attrValid: 0 },
    steps: [
      openIt,
      server('react', 'GETATTR', { malformed: 'bad-size' }),
      call('fstat', 'a'),
      call('fstat', 'a'),
    ],
  },
  {
    name: 'reply: READ of more than was asked for',
    about: ['R5'],
    steps: [
      opened(call('open', 'a', 'f1', 'RDWR'), CACHED),
      server('react', 'READ', { malformed: 'too-much' }),
      call('pread', 'a', 10, 0),
      call('pread', 'a', 10, 0),
      opened(other('open', 'b', 'f2', 'RDWR'), DIRECT),
      server('react', 'READ', { malformed: 'too-much' }),
      other('pread', 'b', 10, 0),
      other('pread', 'b', 10, 0),
    ],
  },
  {
    name: 'reply: a slash in a directory entry',
    about: ['R6'],
    setup: { init: { without: ['DO_READDIRPLUS'] } },
    steps: [
      server('react', 'READDIR', { malformed: 'bad-name' }),
      call('readdir', 'd'),
      call('readdir', 'd'),
    ],
  },
  {
    name: 'reply: a slash in a directory entry that is a lookup',
    about: ['R6'],
    steps: [
      server('react', 'READDIRPLUS', { malformed: 'bad-name' }),
      call('readdir', 'd'),
      call('readdir', 'd'),
    ],
  },
  {
    name: 'reply: errors are passed on',
    steps: [
      server('react', 'LOOKUP', { errno: 5 }),
      call('stat', 'f1'),
      server('react', 'LOOKUP', { errno: 116 }),
      call('stat', 'f1'),
      server('react', 'LOOKUP', { errno: 511 }),
      call('stat', 'f1'),
      call('stat', 'f1'),
      server('react', 'UNLINK', { errno: 30 }),
      call('unlink', 'f1'),
      call('stat', 'f1'),
    ],
  },
]
