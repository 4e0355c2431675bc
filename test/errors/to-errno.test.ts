import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { FsError, fsError } from '../../src/errors/fs-error.js'
import { FuseError } from '../../src/errors/fuse-error.js'
import { toErrno } from '../../src/errors/to-errno.js'

function thrownBy(call: () => unknown): unknown {
  try {
    call()
  } catch (error) {
    return error
  }
  throw new Error('nothing was thrown')
}

const named = (code: string): Error => Object.assign(new Error(code), { code })
const numbered = (errno: number): Error => Object.assign(new Error('x'), { errno })

describe('toErrno', () => {
  it.each<[string, unknown, number]>([
    ['an FsError', new FsError('EXDEV'), 18],
    ['a shared FsError', fsError('ESTALE'), 116],
    ['an error of Node', thrownBy(() => readFileSync('/nonexistent/file')), 2],
    ['a code', named('ENOTEMPTY'), 39],
    ['an alias', named('EWOULDBLOCK'), 11],
    ['a negative number, as libuv has it', numbered(-28), 28],
    ['a failed system call', new FuseError('ERR_SYSCALL', { syscall: 'statx', errno: 13 }), 13],
    [
      'a failed system call without a known errno',
      new FuseError('ERR_SYSCALL', { syscall: 'x', errno: 524 }),
      5,
    ],
    ['an abort', thrownBy(() => AbortSignal.abort().throwIfAborted()), 4],
    ['another FuseError', new FuseError('ERR_USAGE', { problem: 'x' }), 5],
    ['a code of Node that is no errno', named('ERR_INVALID_ARG_TYPE'), 5],
    ['a number of libuv that Linux has not', numbered(-4095), 5],
    ['a positive number', numbered(2), 5],
    ['a TypeError', new TypeError('x'), 5],
    ['a text', 'ENOENT', 5],
    ['nothing', undefined, 5],
  ])('%s', (_what, error, errno) => {
    expect(toErrno(error)).toBe(errno)
  })
})
