import { describe, expect, it } from 'vitest'
import { OpenOutFlag } from '../../../src/protocol/flags/open.js'
import { ScriptedServer, type ScriptedOptions } from './scripted-server.js'

const RDWR = 2
const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString()
const code = (name: string): unknown => expect.objectContaining({ code: name })

function withFile(options: ScriptedOptions = {}): ScriptedServer {
  const server = new ScriptedServer({ flags: ['PASSTHROUGH'], ...options })
  server.names.set('f', { node: 2, attr: { size: 5 } })
  return server
}

describe('passthrough', () => {
  it('reads and writes the backing file, also when the server is gone (W1, W2, W5)', async () => {
    const server = withFile()
    const id = server.backed('hello')
    server.script.OPEN = () => server.passthrough(id)
    const process = server.mount.process()
    const fd = await server.during(process.open('f', RDWR))
    expect(text(await server.during(process.pread(fd, 10, 0)))).toBe('hello')
    expect(await server.during(process.pwrite(fd, Buffer.from('LO, there'), 3))).toBe(9)
    expect(text(server.host.content('backing')!)).toBe('helLO, there')
    expect(server.seen).not.toContain('READ')
    expect(server.seen).not.toContain('WRITE')
    server.take()
    server.names.set('f', { node: 2, attr: { size: 12 } })
    expect((await server.during(process.fstat(fd))).size).toBe(12)
    expect(server.take()).toEqual(['GETATTR'])
    server.mount.connection.abort()
    expect(text(await process.pread(fd, 3, 0))).toBe('hel')
    expect(server.log.counts.get('W1')).toBeGreaterThan(0)
    expect(server.log.counts.get('W5')).toBe(1)
  })

  it('asks for security.capability before each write, or once with V2 (W6, W7)', async () => {
    for (const [flags, expected] of [
      [['PASSTHROUGH'], 3],
      [['PASSTHROUGH', 'HANDLE_KILLPRIV_V2'], 1],
    ] as const) {
      const server = withFile({ flags })
      const id = server.backed('hello')
      server.script.OPEN = () => server.passthrough(id)
      const process = server.mount.process()
      const fd = await server.during(process.open('f', RDWR))
      for (let n = 0; n < 3; n++) await server.during(process.pwrite(fd, Buffer.from('x'), n))
      expect(server.take().filter((opcode) => opcode === 'GETXATTR')).toHaveLength(expected)
    }
  })

  it('refuses with EIO, tells the server and waits for it (O1, O4d, O4e, C3)', async () => {
    const server = withFile()
    const id = server.backed('hello')
    const process = server.mount.process()
    server.script.OPEN = () => server.passthrough(id)
    const fd = await server.during(process.open('f', RDWR))
    server.script.OPEN = () => server.opened(0)
    server.take()
    await expect(server.during(process.open('f', 0))).rejects.toEqual(code('EIO'))
    expect(server.take()).toEqual(['OPEN', 'RELEASE'])
    const other = server.register()
    server.script.OPEN = () => server.passthrough(other)
    await expect(server.during(process.open('f', RDWR))).rejects.toEqual(code('EIO'))
    server.script.RELEASE = () => 'later'
    const waits = process.open('f', RDWR)
    await expect(server.during(waits)).rejects.toThrow('the call waits')
    server.script.RELEASE = () => null
    for (const received of server.waiting.splice(0)) server.answer(received)
    await expect(server.during(waits)).rejects.toEqual(code('EIO'))
    expect([...server.log.counts.keys()]).toEqual(expect.arrayContaining(['O1', 'O4d', 'C3']))
    await server.during(process.close(fd))
  })

  it('lets the backing file go with the last close, before RELEASE is read (C1)', async () => {
    const server = withFile()
    const id = server.backed('hello')
    const process = server.mount.process()
    server.script.OPEN = () => server.passthrough(id)
    const fd = await server.during(process.open('f', RDWR))
    server.server.device.backingClose(id)
    expect(server.mount.connection.backingFiles.living).toBe(1)
    server.script.RELEASE = () => 'later'
    await server.during(process.close(fd))
    expect(server.waiting).toHaveLength(1)
    expect(server.mount.connection.backingFiles.living).toBe(0)
    const next = server.register()
    server.script.OPEN = () => server.passthrough(next)
    await server.during(process.open('f', RDWR))
  })

  it('keeps the mapped file, and not the open one, after the close (W4)', async () => {
    const server = withFile()
    const id = server.backed('hello')
    const process = server.mount.process()
    server.script.OPEN = () => server.passthrough(id)
    const fd = await server.during(process.open('f', RDWR))
    const memory = await server.during(process.mmap(fd, { shared: true, writable: true, length: 4096 }))
    await server.during(process.close(fd))
    expect(server.take()).toContain('RELEASE')
    const other = server.backed('OTHER', 'other')
    server.script.OPEN = () => server.passthrough(other)
    const again = await server.during(process.open('f', RDWR))
    expect(text(await process.pread(again, 5, 0))).toBe('OTHER')
    expect(text(await memory.read(0, 5))).toBe('hello')
    await memory.write(0, Buffer.from('J'))
    expect(text(server.host.content('backing')!)).toBe('Jello')
    await memory.unmap()
  })

  it('knows the proposals by profile (O6, O7)', async () => {
    const flag = withFile({ profile: 'inode-cache' })
    const id = flag.backed('hello')
    const inodeCache = OpenOutFlag.PASSTHROUGH_INODE_CACHE
    flag.script.OPEN = () => flag.passthrough(id, inodeCache)
    const process = flag.mount.process()
    await flag.during(process.open('f', RDWR))
    flag.script.OPEN = () => flag.passthrough(flag.register(), inodeCache)
    await flag.during(process.open('f', RDWR))
    expect(flag.log.counts.get('O6')).toBe(1)

    const compare = withFile({ profile: 'inode-compare' })
    compare.backed('hello')
    compare.script.OPEN = () => compare.passthrough(compare.register())
    const other = compare.mount.process()
    await compare.during(other.open('f', RDWR))
    await compare.during(other.open('f', RDWR))
    expect(compare.log.counts.get('O7')).toBe(1)
  })
})

describe('io modes without passthrough', () => {
  it('lets direct writes run beside each other, and a cached open wait for them (O8, O5a)', async () => {
    const server = withFile()
    const direct = OpenOutFlag.DIRECT_IO | OpenOutFlag.PARALLEL_DIRECT_WRITES
    server.script.OPEN = () => server.opened(direct)
    const [one, two, three] = [server.mount.process(), server.mount.process(), server.mount.process()]
    const fds = [await server.during(one.open('f', RDWR)), await server.during(two.open('f', RDWR))]
    server.script.WRITE = () => 'later'
    const writes = [one.pwrite(fds[0]!, Buffer.from('a'), 0), two.pwrite(fds[1]!, Buffer.from('b'), 1)]
    await server.settle()
    expect(server.waiting).toHaveLength(2)
    server.script.OPEN = () => server.opened(0)
    const cached = three.open('f', RDWR)
    await server.settle()
    expect(server.log.counts.get('O5a')).toBe(1)
    delete server.script.WRITE
    for (const received of server.waiting.splice(0)) server.answer(received)
    await server.during(cached)
    expect(await Promise.all(writes)).toEqual([1, 1])
    server.script.OPEN = () => server.opened(direct)
    const alone = await server.during(one.open('f', RDWR))
    await server.during(one.pwrite(alone, Buffer.from('c'), 0))
    expect(server.log.counts.get('O9')).toBe(1)
  })

  it('maps direct files shared only where that was agreed on (W8, W9)', async () => {
    const plain = withFile()
    plain.script.OPEN = () => plain.opened(OpenOutFlag.DIRECT_IO)
    const process = plain.mount.process()
    const fd = await plain.during(process.open('f', RDWR))
    await expect(plain.during(process.mmap(fd, { shared: true, length: 4096 }))).rejects.toEqual(
      code('ENODEV'),
    )

    const server = withFile({ flags: ['PASSTHROUGH', 'DIRECT_IO_ALLOW_MMAP'] })
    server.script.OPEN = () => server.opened(OpenOutFlag.DIRECT_IO)
    const other = server.mount.process()
    const direct = await server.during(other.open('f', RDWR))
    await server.during(other.mmap(direct, { shared: true, length: 4096 }))
    const id = server.backed('hello')
    server.script.OPEN = () => server.passthrough(id)
    await expect(server.during(other.open('f', RDWR))).rejects.toEqual(code('EIO'))
    expect(server.log.counts.get('O4e')).toBe(1)
  })
})
