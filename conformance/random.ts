import fc from 'fast-check'
import type {
  BackingChoice,
  Call,
  ClientStep,
  OpenAnswer,
  OpenFlagName,
  Scenario,
  ServerStep,
  Setup,
  Step,
} from './scenario.js'
import { CACHED, DIRECT, FLAGGED, FRESH, KEPT, OTHER, PARALLEL, takeover } from './scenarios/steps.js'

const label = fc.constantFrom('a', 'b', 'c')
const mapping = fc.constantFrom('m', 'n')
const path = fc.oneof(
  { weight: 5, arbitrary: fc.constant('f1') },
  { weight: 3, arbitrary: fc.constant('f2') },
  { weight: 1, arbitrary: fc.constantFrom('d/g', 'new', 'd/new', 'd', 's') },
)
const text = fc.constantFrom('x', 'data', 'longer text')
const at = fc.constantFrom(0, 0, 3, 60, 64, 100)
const size = fc.constantFrom(0, 10, 64, 150)
const flags = fc.constantFrom(
  'RDONLY',
  'RDWR',
  'RDWR',
  'WRONLY',
  'RDWR|APPEND',
  'RDWR|TRUNC',
  'RDWR|CREAT',
  'RDWR|CREAT|EXCL',
)

/** How opens are answered; most by passthrough, as that is what has rules. */
const answer: fc.Arbitrary<OpenAnswer> = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(FRESH, KEPT) },
  { weight: 4, arbitrary: fc.constantFrom(CACHED, DIRECT, PARALLEL, OTHER, FLAGGED) },
  {
    weight: 1,
    arbitrary: fc.record({
      flags: fc.subarray<OpenFlagName>([
        'PASSTHROUGH',
        'DIRECT_IO',
        'PARALLEL_DIRECT_WRITES',
        'KEEP_CACHE',
        'NOFLUSH',
        'PASSTHROUGH_INODE_CACHE',
      ]),
      backing: fc.constantFrom<BackingChoice>('fresh', 'kept', 'other', 'none'),
    }),
  },
)

const open = fc.tuple(fc.constant('open' as const), label, path, flags)
const anyCall: fc.Arbitrary<Call> = fc.oneof(
  { weight: 6, arbitrary: fc.tuple(fc.constant('close' as const), label) },
  { weight: 3, arbitrary: fc.tuple(fc.constant('pread' as const), label, fc.constantFrom(8, 200), at) },
  { weight: 1, arbitrary: fc.tuple(fc.constant('read' as const), label, fc.constantFrom(5, 100)) },
  { weight: 4, arbitrary: fc.tuple(fc.constant('pwrite' as const), label, text, at) },
  { weight: 1, arbitrary: fc.tuple(fc.constant('write' as const), label, text) },
  {
    weight: 2,
    arbitrary: fc.tuple(
      fc.constant('mmap' as const),
      mapping,
      label,
      fc.constant(64),
      fc.constantFrom('read' as const, 'write' as const, 'private' as const),
    ),
  },
  {
    weight: 2,
    arbitrary: fc.tuple(fc.constant('peek' as const), mapping, fc.constantFrom(0, 20), fc.constant(8)),
  },
  { weight: 1, arbitrary: fc.tuple(fc.constant('poke' as const), mapping, fc.constantFrom(0, 20), text) },
  { weight: 2, arbitrary: fc.tuple(fc.constant('munmap' as const), mapping) },
  {
    weight: 3,
    arbitrary: fc.tuple(fc.constantFrom('stat' as const, 'lstat' as const, 'statx' as const), path),
  },
  { weight: 3, arbitrary: fc.tuple(fc.constant('fstat' as const), label) },
  { weight: 1, arbitrary: fc.tuple(fc.constant('truncate' as const), path, size) },
  { weight: 1, arbitrary: fc.tuple(fc.constant('ftruncate' as const), label, size) },
  { weight: 1, arbitrary: fc.tuple(fc.constant('chmod' as const), path, fc.constantFrom(0o600, 0o4755)) },
  { weight: 1, arbitrary: fc.tuple(fc.constant('utimens' as const), path, fc.constant(1_500_000_000)) },
  { weight: 2, arbitrary: fc.tuple(fc.constant('rename' as const), path, path) },
  { weight: 2, arbitrary: fc.tuple(fc.constant('unlink' as const), path) },
  { weight: 1, arbitrary: fc.tuple(fc.constant('link' as const), path, path) },
  { weight: 1, arbitrary: fc.tuple(fc.constant('mkdir' as const), path, fc.constant(0o755)) },
  { weight: 1, arbitrary: fc.tuple(fc.constant('rmdir' as const), path) },
  { weight: 1, arbitrary: fc.tuple(fc.constant('readdir' as const), fc.constantFrom('', 'd')) },
  { weight: 1, arbitrary: fc.tuple(fc.constant('fsync' as const), label) },
  { weight: 1, arbitrary: fc.tuple(fc.constant('lseek' as const), label, at, fc.constantFrom(0, 2)) },
  { weight: 1, arbitrary: fc.tuple(fc.constant('setxattr' as const), path, fc.constant('user.a'), text) },
  { weight: 1, arbitrary: fc.tuple(fc.constant('getxattr' as const), path, fc.constant('user.a')) },
)

const process = fc.constantFrom(0, 1)
const clientStep: fc.Arbitrary<ClientStep> = fc.oneof(
  {
    weight: 2,
    arbitrary: fc
      .record({ p: process, call: open, answer: fc.option(answer, { nil: undefined }) })
      .map(({ p, call, answer: how }): ClientStep =>
        how === undefined ? { p, call } : { p, call, answer: how },
      ),
  },
  { weight: 5, arbitrary: fc.record({ p: process, call: anyCall }) },
)

const mortal = fc.constantFrom(
  'OPEN' as const,
  'LOOKUP' as const,
  'RELEASE' as const,
  'FLUSH' as const,
  'SETATTR' as const,
  'WRITE' as const,
  'GETATTR' as const,
)
const serverStep: fc.Arbitrary<readonly ServerStep[]> = fc.oneof(
  { weight: 3, arbitrary: fc.boolean().map((ids) => takeover(ids)) },
  {
    weight: 2,
    arbitrary: fc
      .tuple(mortal, fc.constantFrom('read' as const, 'done' as const, 'answered' as const))
      .map(([opcode, die]): ServerStep[] => [{ server: ['react', opcode, { die }] }]),
  },
  {
    weight: 2,
    arbitrary: fc.boolean().map((resend): ServerStep[] => [{ server: ['start', { resend, ids: resend }] }]),
  },
  {
    weight: 3,
    arbitrary: path.map((file): ServerStep[] => [{ server: ['close-id', 'kept', knownPath(file)] }]),
  },
  { weight: 1, arbitrary: fc.constant<ServerStep[]>([{ server: ['replace', '#2', 'replaced'] }]) },
  {
    weight: 2,
    arbitrary: fc
      .constantFrom(2, 3, 4, 5)
      .map((id): ServerStep[] => [
        { server: ['notify', { code: 'INVAL_INODE', path: `#${id}`, off: 0, len: 0 }] },
      ]),
  },
  {
    weight: 1,
    arbitrary: fc
      .constantFrom('f1', 'f2', 'd')
      .map((name): ServerStep[] => [
        { server: ['notify', { code: 'INVAL_ENTRY', parent: '#1', name, expireOnly: false }] },
      ]),
  },
)

/** Paths may have been renamed by then; the nodes of the beginning keep their numbers. */
function knownPath(file: string): string {
  return file === 'f2' ? '#3' : '#2'
}

const setup: fc.Arbitrary<Setup> = fc.record({
  entryValid: fc.constantFrom(3600, 3600, 0),
  attrValid: fc.constantFrom(3600, 3600, 0),
  opens: answer,
  init: fc.oneof(
    { weight: 5, arbitrary: fc.constant({}) },
    {
      weight: 3,
      arbitrary: fc.constantFrom<NonNullable<Setup['init']>>(
        { without: ['HANDLE_KILLPRIV_V2'] },
        { with: ['ATOMIC_O_TRUNC'] },
        { with: ['AUTO_INVAL_DATA'] },
        { with: ['DIRECT_IO_ALLOW_MMAP'] },
        { without: ['PASSTHROUGH'] },
        { without: ['DO_READDIRPLUS'] },
      ),
    },
  ),
})

const clients = clientStep.map((step): readonly Step[] => [step])

/**
 * Scenarios of two processes, a handful of files, and a server that answers opens in every way and dies. The last steps
 * have everything answered that is blocked.
 */
export const randomScenario: fc.Arbitrary<Scenario> = fc
  .record({
    setup,
    steps: fc.array(fc.oneof({ weight: 8, arbitrary: clients }, { weight: 1, arbitrary: serverStep }), {
      minLength: 2,
      maxLength: 20,
      size: 'max',
    }),
  })
  .map(({ setup: given, steps }) => ({
    name: 'random',
    setup: given,
    steps: [
      ...sensible(steps.flat()),
      { server: ['answer-held'] as const },
      { server: ['start', { resend: true, ids: true }] as const },
    ],
  }))

const LABELS = ['a', 'b', 'c']

/** What a process has in hand as far as the steps tell: an open may have failed. */
interface InHand {
  readonly files: Set<string>
  readonly mappings: Set<string>
}

/**
 * Has calls refer to what is there: a call on a file that is not open goes to one that is or becomes an open, an open
 * under a label in use gets a free label (the other file could not be told any more). Mappings alike.
 */
export function sensible(steps: readonly Step[]): Step[] {
  const processes = new Map<number, InHand>()
  return steps.flatMap((step): readonly Step[] => {
    if (!('p' in step)) return [step]
    const inHand = processes.get(step.p) ?? { files: new Set(), mappings: new Set() }
    processes.set(step.p, inHand)
    const call = fitting(step.call, inHand)
    if (call === null) return []
    return [call[0] === 'open' ? { ...step, call } : { p: step.p, call }]
  })
}

function fitting(call: Call, { files, mappings }: InHand): Call | null {
  switch (call[0]) {
    case 'open': {
      const free = LABELS.find((name) => !files.has(name))
      if (free === undefined) return null
      files.add(free)
      const [, , ...rest] = call
      return ['open', free, ...rest]
    }
    case 'mmap': {
      const file = present(files, call[2])
      if (file === undefined || mappings.has(call[1])) return null
      mappings.add(call[1])
      return ['mmap', call[1], file, call[3], call[4]]
    }
    case 'peek':
    case 'poke':
    case 'munmap': {
      const mapped = present(mappings, call[1])
      if (mapped === undefined) return fitting(['mmap', call[1], 'a', PAGE, 'write'], { files, mappings })
      if (call[0] === 'munmap') mappings.delete(mapped)
      return relabelled(call, mapped)
    }
    case 'close':
    case 'read':
    case 'pread':
    case 'write':
    case 'pwrite':
    case 'fstat':
    case 'ftruncate':
    case 'fsync':
    case 'lseek': {
      const file = present(files, call[1])
      if (file === undefined) return fitting(['open', 'a', 'f1', 'RDWR'], { files, mappings })
      if (call[0] === 'close') files.delete(file)
      return relabelled(call, file)
    }
    default:
      return call
  }
}

const PAGE = 64

function present(labels: ReadonlySet<string>, wanted: string): string | undefined {
  return labels.has(wanted) ? wanted : [...labels][0]
}

function relabelled(call: Call, name: string): Call {
  const [what, , ...rest] = call
  return [what, name, ...rest] as unknown as Call
}
