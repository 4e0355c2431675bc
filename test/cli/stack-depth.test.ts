import { describe, expect, it } from 'vitest'
import { stackDepthFor } from '../../src/cli/stack-depth.js'
import { parseMountinfo, type MountEntry } from '../../src/mount/mountinfo.js'

/** Mounts by mount point and type. */
function mounts(...list: readonly (readonly [string, string])[]): MountEntry[] {
  const lines = list.map(
    ([point, type], index) => `${index + 20} 1 0:${index + 30} / ${point} rw - ${type} x rw`,
  )
  return parseMountinfo(Buffer.from(lines.join('\n')))
}

describe('stackDepthFor', () => {
  it('is 1 on a file system of its own', () => {
    expect(stackDepthFor('/data/source', mounts(['/', 'ext4'], ['/data', 'tmpfs']))).toBe(1)
  })

  it('is 2 on a file system that stands on others', () => {
    expect(stackDepthFor('/data', mounts(['/', 'overlay']))).toBe(2)
    expect(stackDepthFor('/', mounts(['/', 'overlay']))).toBe(2)
    expect(stackDepthFor('/home/me/x', mounts(['/', 'ext4'], ['/home/me', 'fuse.sshfs']))).toBe(2)
  })

  it('goes by the mount that the source lies on, not by its neighbours', () => {
    expect(stackDepthFor('/data', mounts(['/', 'overlay'], ['/data', 'ext4']))).toBe(1)
    expect(stackDepthFor('/data', mounts(['/', 'ext4'], ['/dat', 'overlay'], ['/data2', 'overlay']))).toBe(1)
    expect(stackDepthFor('/data', mounts(['/', 'ext4'], ['/data', 'overlay'], ['/data', 'ext4']))).toBe(1)
  })

  it('heeds what is mounted inside the source', () => {
    expect(stackDepthFor('/data', mounts(['/', 'ext4'], ['/data/merged', 'overlay']))).toBe(2)
  })
})
