import { describe, expect, it } from 'vitest'
import { Errno } from '../../src/errors/errno.js'
import { close } from '../../src/native/descriptor.js'
import { pread, pwrite } from '../../src/native/io.js'
import { mapShared, memfdCreate, reserve } from '../../src/native/memory.js'
import { runChild } from '../support/run-child.js'

const map = (fd: number, length: number, offset?: number): ArrayBuffer => {
  const mapped = mapShared(fd, length, offset)
  if (typeof mapped === 'number') throw new Error(`mmap: ${mapped}`)
  return mapped
}

describe('shared memory', () => {
  it('is one memory for all mappings and for file io', () => {
    const fd = memfdCreate('test')
    expect(reserve(fd, 8192)).toBe(0)
    const first = new Uint8Array(map(fd, 8192))
    const second = new Uint8Array(map(fd, 4096, 4096))
    first[4096] = 42
    expect(second[0]).toBe(42)
    second[1] = 43
    const read = new Uint8Array(2)
    expect(pread(fd, read, 0, 2, 4096)).toBe(2)
    expect([...read]).toEqual([42, 43])
    pwrite(fd, new Uint8Array([7]), 0, 1, 0)
    expect(first[0]).toBe(7)
    expect(Atomics.add(new Int32Array(first.buffer, 4, 1), 0, 5)).toBe(0)
    // a mapping outlives its descriptor, and can be passed to the kernel itself
    close(fd)
    first[8191] = 9
    expect(second[4095]).toBe(9)
    const other = memfdCreate('other')
    expect(pwrite(other, first, 4096, 2, 0)).toBe(2)
    close(other)
  })

  it('is seen by another process through its descriptor, and outlives its SIGKILL', async () => {
    const fd = memfdCreate('test')
    reserve(fd, 4096)
    const view = new Uint8Array(map(fd, 4096))
    view[0] = 1
    const result = await runChild(new URL('./children/memory.mjs', import.meta.url), [
      `/proc/${process.pid}/fd/${fd}`,
    ])
    expect(result).toMatchObject({ signal: 'SIGKILL', stderr: '' })
    expect(view[1]).toBe(2)
    close(fd)
  })

  it('grows by mapping again', () => {
    const fd = memfdCreate('test')
    reserve(fd, 4096)
    const small = new Uint8Array(map(fd, 4096))
    expect(reserve(fd, 1 << 20)).toBe(0)
    const large = new Uint8Array(map(fd, 1 << 20))
    large[0] = 5
    large[(1 << 20) - 1] = 6
    expect(small[0]).toBe(5)
    close(fd)
  })

  it('reports errors', () => {
    expect(mapShared(-1, 4096)).toBe(-Errno.EBADF)
    const fd = memfdCreate('test')
    expect(mapShared(fd, 4096, 1)).toBe(-Errno.EINVAL)
    expect(reserve(-1, 4096)).toBe(-Errno.EBADF)
    expect(reserve(fd, -1)).toBe(-Errno.EINVAL)
    close(fd)
  })
})
