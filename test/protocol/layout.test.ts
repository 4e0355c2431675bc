import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import * as constants from '../../src/protocol/constants.js'
import { AttrFlag, GetattrFlag, SetattrValid } from '../../src/protocol/flags/attr.js'
import {
  DEVICE_IOCTL_MAGIC,
  DeviceIoctl,
  ExtensionType,
  UringCommand,
} from '../../src/protocol/flags/device.js'
import { CuseInitFlag, InitFlag, InitFlagAlias } from '../../src/protocol/flags/init.js'
import * as io from '../../src/protocol/flags/io.js'
import { OpenInFlag, OpenOutFlag, ReleaseFlag } from '../../src/protocol/flags/open.js'
import { NotifyCode, notifyCodeName } from '../../src/protocol/notify-code.js'
import { Opcode, opcodeName, ReservedOpcode } from '../../src/protocol/opcode.js'
import { operationOf, operations } from '../../src/protocol/operations.js'
import type { AnyStruct } from '../../src/protocol/struct.js'
import * as structs from '../../src/protocol/structs/index.js'

interface Facts {
  readonly constants: Readonly<Record<string, number | string>>
  readonly proposed: Readonly<Record<string, number | string>>
  readonly ioctls: Readonly<Record<string, { readonly value: number }>>
  readonly enums: Readonly<Record<string, Readonly<Record<string, number>>>>
  readonly structs: Readonly<
    Record<
      string,
      {
        size: number
        fields: readonly { readonly name: string; readonly type: string; readonly offset: number }[]
      }
    >
  >
}

const text = readFileSync(new URL('fuse-7.45.json', import.meta.url), 'utf8')
// Two constants are above 2^53: their digits are kept.
const facts = JSON.parse(text.replace(/: (\d{16,})/g, ': "$1"')) as Facts

const declared = new Map<string, AnyStruct>()
for (const type of Object.values(structs) as AnyStruct[]) declared.set(type.cName, type)

describe('structures', () => {
  it('are those of fuse.h, none missing and none more', () => {
    expect([...declared.keys()].sort()).toEqual(Object.keys(facts.structs).sort())
    expect(declared.size).toBe(Object.keys(structs).length)
  })

  it.each(Object.entries(facts.structs))(
    '%s has the size, fields, types and offsets of fuse.h',
    (name, fact) => {
      const type = declared.get(name)!
      expect(type.size).toBe(fact.size)
      const layout = type.layout.map(({ cName, cType, offset }) => ({ name: cName, type: cType, offset }))
      expect(layout).toEqual(fact.fields.map(({ name, type, offset }) => ({ name, type, offset })))
      for (const field of type.layout) expect(type.offset[field.key]).toBe(field.offset)
    },
  )
})

/** Our constants by the names of fuse.h. */
const ours = new Map<string, number | bigint>()
function put(
  prefix: string,
  table: Readonly<Record<string, number>>,
  value = (n: number): number | bigint => n,
): void {
  for (const [name, n] of Object.entries(table)) ours.set(prefix + name, value(n))
}
put('FATTR_', SetattrValid)
put('FUSE_GETATTR_', GetattrFlag)
put('FUSE_ATTR_', AttrFlag)
put('FOPEN_', OpenOutFlag)
put('FUSE_OPEN_', OpenInFlag)
put('FUSE_RELEASE_', ReleaseFlag)
put('FUSE_', InitFlag, (bit) => 1n << BigInt(bit))
put('FUSE_', InitFlagAlias, (bit) => 1n << BigInt(bit))
put('CUSE_', CuseInitFlag)
put('FUSE_READ_', io.ReadFlag)
put('FUSE_WRITE_', io.WriteFlag)
put('FUSE_WRITE_', io.WriteFlagAlias)
put('FUSE_FSYNC_', io.FsyncFlag)
put('FUSE_IOCTL_', io.IoctlFlag)
put('FUSE_POLL_', io.PollFlag)
put('FUSE_LK_', io.LkFlag)
put('FUSE_SETXATTR_', io.SetxattrFlag)
put('FUSE_', io.InvalEntryFlag)
put('FUSE_SETUPMAPPING_FLAG_', io.SetupmappingFlag)
put('FUSE_DEV_IOC_', DeviceIoctl)
put('FUSE_COMPAT_', {
  ENTRY_OUT_SIZE: constants.CompatSize.ENTRY_OUT,
  ATTR_OUT_SIZE: constants.CompatSize.ATTR_OUT,
  MKNOD_IN_SIZE: constants.CompatSize.MKNOD_IN,
  WRITE_IN_SIZE: constants.CompatSize.WRITE_IN,
  STATFS_SIZE: constants.CompatSize.STATFS,
  SETXATTR_IN_SIZE: constants.CompatSize.SETXATTR_IN,
  INIT_OUT_SIZE: constants.CompatSize.INIT_OUT,
  '22_INIT_OUT_SIZE': constants.CompatSize.INIT_OUT_22,
})
put('FUSE_', {
  KERNEL_VERSION: constants.KERNEL_VERSION,
  KERNEL_MINOR_VERSION: constants.KERNEL_MINOR_VERSION,
  ROOT_ID: constants.ROOT_ID,
  IOCTL_MAX_IOV: constants.IOCTL_MAX_IOV,
  MIN_READ_BUFFER: constants.MIN_READ_BUFFER,
  INVALID_UIDGID: constants.INVALID_UIDGID,
  DEV_IOC_MAGIC: DEVICE_IOCTL_MAGIC,
  URING_IN_OUT_HEADER_SZ: structs.UringReqHeader.layout[0]!.size,
  URING_OP_IN_OUT_SZ: structs.UringReqHeader.layout[1]!.size,
  NAME_OFFSET: structs.Dirent.offset.name,
  NAME_OFFSET_DIRENTPLUS: structs.Direntplus.offset.dirent + structs.Dirent.offset.name,
  REMOVEMAPPING_MAX_ENTRY: constants.REMOVEMAPPING_MAX_ENTRY,
})
ours.set('FUSE_UNIQUE_RESEND', BigInt(constants.UNIQUE_RESEND_HIGH) << 32n)
ours.set('CUSE_INIT_INFO_MAX', constants.CUSE_INIT_INFO_MAX)

describe('constants', () => {
  it.each(Object.entries(facts.constants))('%s', (name, value) => {
    expect(ours.has(name)).toBe(true)
    expect(BigInt(ours.get(name)!)).toBe(BigInt(value))
  })

  it('has none that fuse.h and the proposal lack', () => {
    const known = { ...facts.constants, ...facts.proposed }
    expect([...ours.keys()].filter((name) => !(name in known))).toEqual([])
  })

  it('has the proposed bit 8', () => {
    expect(ours.get('FOPEN_PASSTHROUGH_INODE_CACHE')).toBe(facts.proposed.FOPEN_PASSTHROUGH_INODE_CACHE)
  })

  it.each(Object.entries(facts.ioctls))('%s', (name, { value }) => {
    expect(ours.get(name)).toBe(value)
  })
})

describe('enumerations', () => {
  const prefixed = (prefix: string, table: Readonly<Record<string, number>>): Record<string, number> =>
    Object.fromEntries(Object.entries(table).map(([name, n]) => [prefix + name, n]))

  it('has every opcode', () => {
    const { CUSE_INIT, ...rest } = Opcode
    expect({
      ...prefixed('FUSE_', rest),
      CUSE_INIT,
      CUSE_INIT_BSWAP_RESERVED: ReservedOpcode.CUSE_INIT_BSWAP,
      FUSE_INIT_BSWAP_RESERVED: ReservedOpcode.INIT_BSWAP,
    }).toEqual(facts.enums.fuse_opcode)
  })

  it('names every opcode and finds its operation', () => {
    for (const [name, opcode] of Object.entries(Opcode)) {
      expect(opcodeName(opcode)).toBe(name)
      expect(operationOf(opcode)).toBe(operations[name as keyof typeof operations])
      expect(operationOf(opcode)!.name).toBe(name)
    }
    for (const opcode of [0, 7, 19, 54, 63, 64, 4095, ReservedOpcode.INIT_BSWAP, 0xffffffff]) {
      expect(opcodeName(opcode)).toBeUndefined()
      expect(operationOf(opcode)).toBeUndefined()
    }
  })

  it('has every notification, extension and ring command', () => {
    expect(prefixed('FUSE_NOTIFY_', NotifyCode)).toEqual(facts.enums.fuse_notify_code)
    for (const [name, code] of Object.entries(NotifyCode)) expect(notifyCodeName(code)).toBe(name)
    const { GROUPS, ...rest } = ExtensionType
    expect({ FUSE_EXT_GROUPS: GROUPS, ...prefixed('FUSE_', rest) }).toEqual(facts.enums.fuse_ext_type)
    expect(prefixed('FUSE_IO_URING_CMD_', UringCommand)).toEqual(facts.enums.fuse_uring_cmd)
  })
})
