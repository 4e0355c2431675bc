import { describe, expect, it } from 'vitest'
import { fusermountOptions } from '../../src/mount/fusermount.js'
import { parseMountOptions } from '../../src/mount/options.js'

describe('parseMountOptions', () => {
  it('reads words and values, over several arguments, later ones winning', () => {
    expect(parseMountOptions('ro,allow_other,fsname=a=b', 'max_read=65536,subtype=x.y-z', 'rw')).toEqual({
      readOnly: false,
      allowOther: true,
      fsname: 'a=b',
      maxRead: 65536,
      subtype: 'x.y-z',
    })
    expect(parseMountOptions('')).toEqual({})
    expect(parseMountOptions('defaults,,noauto,_netdev')).toEqual({})
    expect(parseMountOptions('x-systemd.automount,X-mount.mkdir=0755,comment=mine')).toEqual({})
    expect(
      parseMountOptions('nosuid,suid,nodev,noexec,noatime,relatime,dirsync,sync,async,nonempty'),
    ).toEqual({
      nosuid: false,
      nodev: true,
      noexec: true,
      noatime: true,
      relatime: true,
      dirsync: true,
      sync: false,
      nonempty: true,
    })
  })

  it('takes commas and backslashes in values', () => {
    expect(parseMountOptions('fsname=a\\,b\\\\c,ro')).toEqual({ fsname: 'a,b\\c', readOnly: true })
  })

  it.each([
    'bogus',
    'ro=1',
    'fsname',
    'fsname=',
    'max_read=many',
    'max_read=12',
    'subtype=a/b',
    'toString',
    '=x',
  ])('refuses %s', (text) => {
    expect(() => parseMountOptions(text)).toThrow(expect.objectContaining({ code: 'ERR_USAGE' }) as Error)
  })
})

describe('fusermountOptions', () => {
  it('always asks for nosuid and nodev, and escapes names', () => {
    expect(fusermountOptions({})).toBe('rw,nosuid,nodev,fsname=evermount,subtype=evermount')
    expect(
      fusermountOptions({ readOnly: true, nosuid: false, allowOther: true, fsname: 'a,b', maxRead: 9 }),
    ).toBe('ro,nosuid,nodev,allow_other,fsname=a\\,b,subtype=evermount,max_read=9')
  })
})
