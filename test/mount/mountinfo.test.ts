import { describe, expect, it } from 'vitest'
import {
  hasMountsWithin,
  isFuse,
  mountAt,
  mountsOfSubtype,
  parseMountinfo,
  readMounts,
  type MountEntry,
} from '../../src/mount/mountinfo.js'

const parse = (...lines: string[]) => parseMountinfo(Buffer.from(lines.join('\n') + '\n', 'latin1'))

describe('parseMountinfo', () => {
  it('reads every field, with none or several optional ones', () => {
    const [plain, many] = parse(
      '22 1 254:0 / / rw,relatime - ext4 /dev/root rw,discard',
      '36 22 0:31 /sub /mnt rw,noatime shared:5 master:1 - fuse.evermount name rw,user_id=0',
    )
    expect(plain).toEqual({
      id: 22,
      parent: 1,
      major: 254,
      minor: 0,
      mountPoint: '/',
      mountPointBytes: Buffer.from('/'),
      options: ['rw', 'relatime'],
      type: 'ext4',
      source: '/dev/root',
      superOptions: ['rw', 'discard'],
    })
    expect(many).toMatchObject({ minor: 31, mountPoint: '/mnt', type: 'fuse.evermount', source: 'name' })
    expect(isFuse(many!)).toBe(true)
    expect(isFuse(plain!)).toBe(false)
  })

  it('undoes the escapes, and keeps bytes that are not UTF-8', () => {
    const [entry] = parse('1 1 0:1 / /a\\040b\\011c\\012d\\134e\\0401 rw - fuse s\\040t rw')
    expect(entry?.mountPoint).toBe('/a b\tc\nd\\e 1')
    expect(entry?.source).toBe('s t')
    const [bytes] = parse('1 1 0:1 / /\xff\xfe rw - fuse x rw', '2 1 0:2 / /\xc3\xa9 rw - fuse x rw')
    expect(bytes?.mountPointBytes).toEqual(Buffer.from([0x2f, 0xff, 0xfe]))
    expect(parse('2 1 0:2 / /\xc3\xa9 rw - fuse x rw')[0]?.mountPoint).toBe('/é')
  })

  it('leaves out what is no mount', () => {
    expect(parse('', 'nonsense', '1 2 3', '1 1 0:1 / / rw -', '1 1 x:y / / rw - a b c')).toEqual([])
  })

  it('finds the topmost of several mounts, and those of a subtype', () => {
    const mounts = parse(
      '1 1 0:1 / /mnt rw - tmpfs a rw',
      '2 1 0:2 / /mnt rw - fuse.evermount b rw',
      '3 1 0:3 / /mnt/x rw - fuse.other c rw',
    )
    expect(mountAt('/mnt', mounts)?.id).toBe(2)
    expect(mountAt('/mn', mounts)).toBeUndefined()
    expect(mountsOfSubtype('evermount', mounts).map(({ id }) => id)).toEqual([2])
  })

  it('reads those of this machine', () => {
    const mounts = readMounts()
    expect(mounts.length).toBeGreaterThan(1)
    expect(mountAt('/proc', mounts)?.type).toBe('proc')
  })
})

describe('hasMountsWithin', () => {
  const at = (...mountPoints: readonly string[]) =>
    mountPoints.map((mountPoint) => ({ mountPoint }) as MountEntry)

  it('sees what is mounted below, and neither the mount itself nor what only begins like it', () => {
    expect(hasMountsWithin('/a', at('/', '/a', '/ab', '/b/a'))).toBe(false)
    expect(hasMountsWithin('/a', at('/', '/a', '/a/b c'))).toBe(true)
    expect(hasMountsWithin('/', at('/'))).toBe(false)
    expect(hasMountsWithin('/', at('/', '/proc'))).toBe(true)
  })
})
