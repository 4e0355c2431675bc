import { describe, expect, expectTypeOf, it } from 'vitest'
import { FuseError, isFuseError, type FuseErrorContext } from '../../src/errors/fuse-error.js'

describe('FuseError', () => {
  it('has code, context, cause, remedy, and a message made of them', () => {
    const cause = new Error('inner')
    const remedy = 'Load the module: modprobe fuse.'
    const error = new FuseError('ERR_NO_DEVICE', { path: '/dev/fuse', errno: 2 }, { cause, remedy })
    expect(error.message).toBe('cannot open /dev/fuse: ENOENT')
    expect(error).toMatchObject({ name: 'FuseError', code: 'ERR_NO_DEVICE', cause, remedy })
    expectTypeOf(error.context).toEqualTypeOf<Readonly<{ path: string; errno: number }>>()
  })

  it('has no cause and no remedy unless given', () => {
    const error = new FuseError('ERR_SYSCALL', { syscall: 'mount', errno: 41 })
    expect('cause' in error).toBe(false)
    expect(error.remedy).toBeUndefined()
    expect(error.message).toBe('mount: errno 41')
  })

  it('is told from others by its code', () => {
    const error: unknown = new FuseError('ERR_TIMEOUT', { what: 'INIT', milliseconds: 5 })
    expect(isFuseError(error)).toBe(true)
    expect(isFuseError(error, 'ERR_USAGE')).toBe(false)
    expect(isFuseError(new Error('x'))).toBe(false)
    if (isFuseError(error, 'ERR_TIMEOUT')) {
      expectTypeOf(error.context).toEqualTypeOf<Readonly<FuseErrorContext<'ERR_TIMEOUT'>>>()
      expect(error.context.milliseconds).toBe(5)
    }
    expect.assertions(4)
  })
})
