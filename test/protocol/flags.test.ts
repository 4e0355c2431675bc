import { constants } from 'node:fs'
import { describe, expect, it } from 'vitest'
import * as init from '../../src/protocol/flags/init.js'
import { direntType, FileMode, openFlags } from '../../src/protocol/linux.js'

describe('InitFlags', () => {
  it('are two unsigned words', () => {
    expect(init.initFlags('INIT_RESERVED', 'ASYNC_READ')).toEqual({ flags: 0x80000001, flags2: 0 })
    expect(init.initFlags('PASSTHROUGH', 'HAS_RESEND')).toEqual({ flags: 0, flags2: 0xa0 })
  })

  it('are tested, added, taken away and listed by name', () => {
    const set = init.initFlags('PASSTHROUGH', 'INIT_EXT', 'MAX_PAGES')
    expect(init.hasInitFlag(set, 'PASSTHROUGH')).toBe(true)
    expect(init.hasInitFlag(set, 'HAS_RESEND')).toBe(false)
    expect(init.initFlagNames(set)).toEqual(['MAX_PAGES', 'INIT_EXT', 'PASSTHROUGH'])
    expect(init.withoutInitFlags(set, 'PASSTHROUGH', 'MAX_PAGES')).toEqual(init.initFlags('INIT_EXT'))
    expect(init.withInitFlags(set, 'PASSTHROUGH')).toEqual(set)
    expect(init.commonInitFlags(set, init.initFlags('MAX_PAGES', 'ASYNC_DIO'))).toEqual(
      init.initFlags('MAX_PAGES'),
    )
  })

  it('every flag is its own', () => {
    for (const name of Object.keys(init.InitFlag) as init.InitFlagName[]) {
      expect(init.initFlagNames(init.initFlags(name))).toEqual([name])
    }
  })
})

describe('linux', () => {
  it.runIf(process.arch === 'x64' || process.arch === 'arm64')('open flags agree with the system', () => {
    const flags = openFlags(process.arch as 'x64' | 'arm64')
    for (const [name, value] of Object.entries(constants)) {
      const key = name.startsWith('O_') ? name.slice(2) : ''
      if (key in flags) expect([name, flags[key as keyof typeof flags]]).toEqual([name, value])
    }
  })

  it('open flags of arm64 differ where they do', () => {
    const x64 = openFlags('x64')
    const arm64 = openFlags('arm64')
    const differing = Object.keys(x64).filter((name) => x64[name as 'PATH'] !== arm64[name as 'PATH'])
    expect(differing.sort()).toEqual(['DIRECT', 'DIRECTORY', 'LARGEFILE', 'NOFOLLOW', 'TMPFILE'])
  })

  it('directory entry types follow from modes', () => {
    expect(direntType(FileMode.IFDIR | 0o755)).toBe(4)
    expect(direntType(FileMode.IFLNK | 0o777)).toBe(10)
  })
})
