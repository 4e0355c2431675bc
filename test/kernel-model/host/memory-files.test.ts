import { describe, expect, it } from 'vitest'
import { Errno } from '../../../src/errors/errno.js'
import type { HostFile, HostInstance } from '../../../src/kernel-model/host/host-files.js'
import { MemoryFiles } from '../../../src/kernel-model/host/memory-files.js'
import { AccessMode, openFlags } from '../../../src/protocol/linux.js'
import { bytesOf } from '../connection/raw-server.js'

const O = openFlags('x64')

function made(content = 'abcdef'): MemoryFiles {
  const files = new MemoryFiles()
  files.create('file', content)
  return files
}

function resolved(files: MemoryFiles, name = 'file'): HostFile {
  const fd = files.open(name, AccessMode.RDONLY)
  const file = files.resolve(fd)
  files.close(fd)
  if (typeof file === 'number') throw new Error(`resolve: ${file}`)
  return file
}

function opened(file: HostFile, flags: number): HostInstance {
  const instance = file.open(flags)
  if (typeof instance === 'number') throw new Error(`open: ${instance}`)
  return instance
}

describe('files in memory', () => {
  it('have descriptors of their own, the lowest that is free', () => {
    const files = made()
    expect([files.open('file'), files.open('file'), files.open('none')]).toEqual([3, 4, -Errno.ENOENT])
    expect([files.close(3), files.close(3)]).toEqual([0, -Errno.EBADF])
    expect(files.open('file')).toBe(3)
    expect(files.instance(3)?.size()).toBe(6)
    files.closeAll()
    expect(files.held('file')).toBe(0)
    expect(files.resolve(3)).toBe(-Errno.EBADF)
  })

  it('are held without a descriptor, a name or a registration', () => {
    const files = made()
    const file = resolved(files)
    const instance = opened(file, AccessMode.RDWR)
    file.close()
    file.close()
    expect(files.held('file')).toBe(1)
    const mapping = instance.map()
    if (typeof mapping === 'number') throw new Error(`map: ${mapping}`)
    instance.close()
    instance.close()
    expect(files.held('file')).toBe(1)
    expect([files.unlink('file'), files.unlink('file')]).toEqual([0, -Errno.ENOENT])
    expect(mapping.write(bytesOf('XY'), 5)).toBe(1)
    const into = new Uint8Array(8)
    expect(mapping.read(into, 4)).toBe(2)
    expect(into.subarray(0, 2)).toEqual(bytesOf('eX'))
    mapping.unmap()
    mapping.unmap()
  })

  it('are another file when one of the name takes their place', () => {
    const files = made()
    const old = resolved(files)
    files.create('new', 'x')
    expect([files.rename('new', 'file'), files.rename('new', 'file')]).toEqual([0, -Errno.ENOENT])
    expect(files.content('file')).toEqual(bytesOf('x'))
    expect(resolved(files).inode).not.toBe(old.inode)
    const into = new Uint8Array(8)
    expect(opened(old, AccessMode.RDONLY).read(into, 0)).toBe(6)
  })

  it('are read and written as they were opened', () => {
    const files = made()
    const file = resolved(files)
    const [reading, appending] = [
      opened(file, AccessMode.RDONLY | O.TRUNC),
      opened(file, AccessMode.WRONLY | O.APPEND),
    ]
    expect(reading.write(bytesOf('X'), 0)).toBe(-Errno.EBADF)
    expect(appending.read(new Uint8Array(1), 0)).toBe(-Errno.EBADF)
    expect(appending.write(bytesOf('g'), 0)).toBe(1)
    expect(appending.size()).toBe(7)
    const writing = opened(file, AccessMode.RDWR)
    expect(writing.write(bytesOf('X'), 9)).toBe(1)
    expect(writing.write(bytesOf(''), 99)).toBe(0)
    expect(files.content('file')).toEqual(bytesOf('abcdefg\0\0X'))
    const fd = files.open('file', AccessMode.RDWR | O.TRUNC)
    expect(files.instance(fd)?.size()).toBe(0)
  })

  it('refuse to be opened as their file system does', () => {
    const files = made()
    files.create('sealed', '', { readOnly: true })
    files.create('plain', '', { directIo: false })
    files.create('folder', '', { kind: 'directory' })
    expect(files.open('sealed')).toBe(-Errno.EROFS)
    expect(files.open('plain', O.DIRECT)).toBe(-Errno.EINVAL)
    expect(files.open('folder')).toBe(-Errno.EISDIR)
    expect(resolved(files, 'sealed').open(AccessMode.RDWR)).toBe(-Errno.EROFS)
    expect(resolved(files, 'folder').kind).toBe('directory')
  })
})
