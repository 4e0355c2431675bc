import { describe, expect, it } from 'vitest'
import { FsError, fsError } from '../../src/errors/fs-error.js'

describe('fsError', () => {
  it('gives one frozen instance without a stack for each errno', () => {
    const error = fsError('ENOENT')
    expect(error).toBeInstanceOf(FsError)
    expect(error).toMatchObject({ errno: 2, code: 'ENOENT', message: 'ENOENT' })
    expect(fsError(2)).toBe(error)
    expect(Object.isFrozen(error)).toBe(true)
    expect(error.stack).not.toContain('\n')
  })

  it('gives EIO for a number that Linux has not', () => {
    expect(fsError(41)).toMatchObject({ errno: 5, code: 'EIO' })
    expect(fsError(-2)).toMatchObject({ errno: 5, code: 'EIO' })
  })

  it('leaves stacks of other errors alone', () => {
    fsError('ELOOP')
    expect(new FsError('ELOOP', 'too many').stack).toContain('\n')
    expect(new FsError('ELOOP', 'too many')).toMatchObject({ errno: 40, message: 'too many' })
  })
})
