import * as fc from 'fast-check'
import { RenameFlag, XattrFlag } from '../../src/protocol/linux.js'

/** How a file is opened. */
export type OpenMode = 'read' | 'update' | 'create' | 'exclusive' | 'truncate' | 'append'

/** A system call of one of the processes; `file` is which of its open files it is about. */
export type RandomCall =
  | { readonly name: 'open'; readonly file: number; readonly path: string; readonly mode: OpenMode }
  | { readonly name: 'close' | 'read'; readonly file: number }
  | { readonly name: 'write'; readonly file: number; readonly data: string; readonly at: number }
  | { readonly name: 'ftruncate'; readonly file: number; readonly size: number }
  | { readonly name: 'mkdir' | 'rmdir' | 'unlink' | 'stat' | 'readdir'; readonly path: string }
  | { readonly name: 'symlink' | 'readlink' | 'unlinkLink'; readonly path: string }
  | { readonly name: 'rename'; readonly path: string; readonly to: string; readonly flags: number }
  | { readonly name: 'link'; readonly path: string; readonly to: string }
  | { readonly name: 'chmod'; readonly path: string; readonly mode: number }
  | { readonly name: 'setxattr'; readonly path: string; readonly value: string; readonly flags: number }
  | { readonly name: 'getxattr' | 'removexattr'; readonly path: string }

/** Calls that are made at the same time, one by each process. */
export type Round = readonly RandomCall[]

export interface Sequence {
  readonly rounds: readonly Round[]
  /** Steps after which one server after the other is killed. */
  readonly kills: readonly number[]
  /** Which of the grounds: kernels, and ways of the mirror. */
  readonly ground: number
}

/** More than two at once could see halves of each other's calls that no order explains. */
export const PROCESSES = 2

const path = fc.constantFrom('f', 'g', 'd', 'e', 'd/f', 'd/g', 'e/f')
const link = fc.constantFrom('l', 'k')
const file = fc.nat({ max: 1 })
const data = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), minLength: 1, maxLength: 12 })
const openMode = fc.constantFrom<OpenMode>(
  'read',
  'update',
  'create',
  'create',
  'exclusive',
  'truncate',
  'append',
)

const call: fc.Arbitrary<RandomCall> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ name: fc.constant('open' as const), file, path, mode: openMode }) },
  { weight: 2, arbitrary: fc.record({ name: fc.constantFrom('close' as const, 'read' as const), file }) },
  {
    weight: 3,
    arbitrary: fc.record({ name: fc.constant('write' as const), file, data, at: fc.nat({ max: 20 }) }),
  },
  fc.record({ name: fc.constant('ftruncate' as const), file, size: fc.nat({ max: 20 }) }),
  { weight: 3, arbitrary: fc.record({ name: fc.constant('mkdir' as const), path }) },
  {
    weight: 4,
    arbitrary: fc.record({
      name: fc.constantFrom('rmdir' as const, 'unlink' as const, 'stat' as const, 'readdir' as const),
      path,
    }),
  },
  fc.record({
    name: fc.constantFrom('symlink' as const, 'readlink' as const, 'unlinkLink' as const),
    path: link,
  }),
  {
    weight: 4,
    arbitrary: fc.record({
      name: fc.constant('rename' as const),
      path,
      to: path,
      flags: fc.constantFrom(0, 0, RenameFlag.NOREPLACE, RenameFlag.EXCHANGE),
    }),
  },
  { weight: 2, arbitrary: fc.record({ name: fc.constant('link' as const), path, to: path }) },
  fc.record({ name: fc.constant('chmod' as const), path, mode: fc.constantFrom(0o600, 0o644, 0o755) }),
  fc.record({
    name: fc.constant('setxattr' as const),
    path,
    value: data,
    flags: fc.constantFrom(0, XattrFlag.CREATE, XattrFlag.REPLACE),
  }),
  fc.record({ name: fc.constantFrom('getxattr' as const, 'removexattr' as const), path }),
)

/** Most kills in a sequence, and most steps from one to the next. */
export interface KillLimits {
  readonly most: number
  readonly apart: number
}

/** On one of so many grounds. */
export const sequence = (grounds: number, kills: KillLimits): fc.Arbitrary<Sequence> =>
  fc.record({
    rounds: fc.array(fc.array(call, { minLength: 1, maxLength: PROCESSES }), {
      minLength: 1,
      maxLength: 24,
      size: 'max',
    }),
    kills: fc.array(fc.nat({ max: kills.apart }), { minLength: 1, maxLength: kills.most, size: 'max' }),
    ground: fc.nat({ max: grounds - 1 }),
  })
