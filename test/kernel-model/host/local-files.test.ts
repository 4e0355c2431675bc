import * as fs from 'node:fs'
import { join } from 'node:path'
import { tmpdir } from 'node:os'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Errno } from '../../../src/errors/errno.js'
import type { HostFile, HostInstance, HostMapping } from '../../../src/kernel-model/host/host-files.js'
import { LocalFiles } from '../../../src/kernel-model/host/local-files.js'
import { Connection } from '../../../src/kernel-model/connection/connection.js'
import { profiles } from '../../../src/kernel-model/profile.js'
import { AccessMode, openFlags } from '../../../src/protocol/linux.js'
import { bytesOf, RawServer } from '../connection/raw-server.js'

const O = openFlags(process.arch === 'arm64' ? 'arm64' : 'x64')

let folder: string
let before: string[]

const descriptors = (): string[] => fs.readdirSync('/proc/self/fd')

beforeEach(() => {
  folder = fs.mkdtempSync(join(tmpdir(), 'evermount-host-'))
  fs.writeFileSync(join(folder, 'file'), 'abcdef')
  before = descriptors()
})

afterEach(() => {
  expect(descriptors()).toEqual(before)
  fs.rmSync(folder, { recursive: true })
})

/** Resolves a name through a descriptor that is closed at once. */
function resolved(name = 'file'): HostFile {
  const fd = fs.openSync(join(folder, name), 'r')
  const file = new LocalFiles().resolve(fd)
  fs.closeSync(fd)
  if (typeof file === 'number') throw new Error(`resolve: ${file}`)
  return file
}

function opened(file: HostFile, flags: number = AccessMode.RDWR): HostInstance {
  const instance = file.open(flags)
  if (typeof instance === 'number') throw new Error(`open: ${instance}`)
  return instance
}

function mapped(instance: HostInstance): HostMapping {
  const mapping = instance.map()
  if (typeof mapping === 'number') throw new Error(`map: ${mapping}`)
  return mapping
}

function text(source: HostInstance | HostMapping, position = 0): string {
  const into = new Uint8Array(32)
  return new TextDecoder().decode(into.subarray(0, source.read(into, position)))
}

const content = (): string => fs.readFileSync(join(folder, 'file'), 'utf8')

describe('local files', () => {
  it('are refused where the descriptor is not open', () => {
    expect(new LocalFiles().resolve(9999)).toBe(-Errno.EBADF)
  })

  it('tell what they are', () => {
    const [file, directory] = [resolved(), resolved('.')]
    expect([file.kind, directory.kind]).toEqual(['regular', 'directory'])
    const { dev, ino } = fs.statSync(join(folder, 'file'), { bigint: true })
    expect(file.inode).toBe(`${dev}:${ino}`)
    file.close()
    directory.close()
  })

  it('are held without a descriptor of the server, and without a name', () => {
    const file = resolved()
    fs.unlinkSync(join(folder, 'file'))
    const instance = opened(file)
    file.close()
    file.close()
    expect(text(instance)).toBe('abcdef')
    expect(instance.write(bytesOf('X'), 1)).toBe(1)
    expect(text(instance, 1)).toBe('Xcdef')
    expect(instance.size()).toBe(6)
    instance.close()
    instance.close()
  })

  it('are opened with the flags that last', () => {
    const file = resolved()
    const reading = opened(file, AccessMode.RDONLY | O.TRUNC | O.CREAT | O.EXCL)
    expect(content()).toBe('abcdef')
    expect(reading.write(bytesOf('X'), 0)).toBe(-Errno.EBADF)
    const appending = opened(file, AccessMode.WRONLY | O.APPEND)
    expect(appending.write(bytesOf('gh'), 0)).toBe(2)
    expect(appending.size()).toBe(8)
    expect(appending.read(new Uint8Array(1), 0)).toBe(-Errno.EBADF)
    expect(content()).toBe('abcdefgh')
    for (const one of [reading, appending, file]) one.close()
  })

  it('are not opened where the file system does not allow it', () => {
    const file = resolved('.')
    expect(file.open(AccessMode.RDWR)).toBe(-Errno.EISDIR)
    file.close()
  })

  it('have mappings that outlive the instance, of the size of the file', () => {
    const file = resolved()
    const instance = opened(file, AccessMode.RDWR | O.APPEND)
    const mapping = mapped(instance)
    for (const one of [instance, file]) one.close()
    expect(mapping.write(bytesOf('XY'), 5)).toBe(1)
    expect(mapping.write(bytesOf('XY'), 6)).toBe(0)
    expect(content()).toBe('abcdeX')
    fs.writeFileSync(join(folder, 'file'), 'other')
    expect(text(mapping)).toBe('other')
    mapping.unmap()
    mapping.unmap()
  })

  it('lose set-user-id when they are written to', () => {
    const path = join(folder, 'file')
    for (const [mode, left] of [
      [0o6755, 0o755],
      [0o2744, 0o2744],
    ] as const) {
      fs.chmodSync(path, mode)
      const file = resolved()
      const instance = opened(file)
      expect(instance.write(bytesOf('X'), 0)).toBe(1)
      expect(fs.statSync(path).mode & 0o7777).toBe(left)
      for (const one of [instance, file]) one.close()
    }
  })

  it('registered with a connection leave nothing open behind', async () => {
    const connection = new Connection({ profile: profiles['linux-6.18'], host: new LocalFiles() })
    const server = new RawServer(connection.open())
    server.init(['INIT_EXT', 'PASSTHROUGH'], { maxStackDepth: 2 })
    const fd = fs.openSync(join(folder, 'file'), 'r')
    const ids = [1, 2, 3].map(() => server.device.backingOpen(fd))
    fs.closeSync(fd)
    expect(ids).toEqual([1, 2, 3])
    const backing = connection.backingFiles.get(2)!
    backing.retain()
    const instance = backing.open(AccessMode.RDWR)
    if (typeof instance === 'number') throw new Error(`open: ${instance}`)
    expect(descriptors().length).toBe(before.length + 4)
    expect(server.device.backingClose(1)).toBe(0)
    expect(server.device.backingClose(2)).toBe(0)
    backing.release()
    instance.close()
    expect(descriptors().length).toBe(before.length + 1)
    server.device.close()
    await connection.unmount()
  })
})
