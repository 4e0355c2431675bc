import { describe, expect, it } from 'vitest'
import { Errno } from '../../src/errors/errno.js'
import type { Negotiated, ServerCapabilities } from '../../src/protocol/capabilities.js'
import { hasInitFlag, initFlagNames, initFlags, type InitFlagName } from '../../src/protocol/flags/init.js'
import { initReplySize, negotiate } from '../../src/protocol/negotiate.js'
import type { InitIn } from '../../src/protocol/structs/init.js'

/** What Linux 6.18 offers. */
const linux618: InitIn = { major: 7, minor: 45, maxReadahead: 131072, flags: 0x73fffffb, flags2: 0x7fd }

function agree(wanted: ServerCapabilities, kernel = linux618): Negotiated {
  const result = negotiate(kernel, wanted)
  if (result.outcome !== 'agreed') throw new Error(result.outcome)
  const { reply, agreed } = result
  expect({ flags: reply.flags, flags2: reply.flags2 }).toEqual(agreed.flags)
  expect(reply.minor).toBe(agreed.minor)
  return agreed
}

function refusal(wanted: ServerCapabilities, kernel = linux618): unknown {
  const result = negotiate(kernel, wanted)
  if (result.outcome !== 'refused') throw new Error(result.outcome)
  expect(result.errno).toBe(Errno.EPROTO)
  return result.error.code === 'ERR_INIT_REFUSED' ? result.error.context : result.error.code
}

const names = (agreed: Negotiated): InitFlagName[] => initFlagNames(agreed.flags)
const missing = (agreed: Negotiated): string[] => agreed.missing.map(({ flag }) => flag)

describe('versions', () => {
  it('speaks the lower minor version', () => {
    expect(agree({}, { ...linux618, minor: 60 }).minor).toBe(45)
    expect(agree({}, { ...linux618, minor: 31 }).minor).toBe(31)
  })

  it('asks a kernel of a later major version for another INIT', () => {
    expect(negotiate({ ...linux618, major: 8 }, { required: ['PASSTHROUGH'] })).toMatchObject({
      outcome: 'again',
      reply: { major: 7, minor: 45 },
    })
  })

  it.each([
    [{ ...linux618, major: 6 }, {}],
    [{ ...linux618, minor: 30 }, {}],
    [{ ...linux618, minor: 30 }, { minimumMinor: 12 }],
    [{ ...linux618, minor: 39 }, { minimumMinor: 40 }],
  ])('refuses what is too old', (kernel, wanted) => {
    expect(refusal(wanted, kernel)).toBe('ERR_PROTOCOL_VERSION')
  })

  it('knows how much of the reply a kernel takes', () => {
    expect([4, 5, 22, 23, 45].map(initReplySize)).toEqual([8, 24, 24, 64, 64])
  })
})

describe('flags', () => {
  it('takes what is wanted and offered, and no other', () => {
    const agreed = agree({
      required: ['PARALLEL_DIROPS', 'HAS_RESEND'],
      optional: ['ASYNC_DIO', 'SUBMOUNTS'],
    })
    expect(names(agreed)).toEqual([
      'BIG_WRITES',
      'ASYNC_DIO',
      'PARALLEL_DIROPS',
      'MAX_PAGES',
      'INIT_EXT',
      'HAS_RESEND',
    ])
    expect(agreed.missing).toEqual([{ flag: 'SUBMOUNTS', reason: 'the kernel does not offer it' }])
  })

  it('refuses, naming it, when a required flag is not offered', () => {
    expect(refusal({ required: ['SUBMOUNTS'] })).toEqual({
      flag: 'SUBMOUNTS',
      reason: 'the kernel does not offer it',
    })
  })

  it('without INIT_EXT there is no flags2, whatever it holds', () => {
    const kernel = { ...linux618, flags: linux618.flags & ~(1 << 30) }
    expect(refusal({ required: ['HAS_RESEND'] }, kernel)).toEqual({
      flag: 'HAS_RESEND',
      reason: 'the kernel has no INIT_EXT',
    })
    const agreed = agree({ optional: ['HAS_RESEND'] }, kernel)
    expect(agreed.flags.flags2).toBe(0)
    expect(names(agreed)).not.toContain('INIT_EXT')
  })

  const rules: readonly [InitFlagName, ServerCapabilities, ServerCapabilities, RegExp][] = [
    ['PASSTHROUGH', {}, { maxStackDepth: 1 }, /maxStackDepth/],
    ['READDIRPLUS_AUTO', {}, { optional: ['DO_READDIRPLUS'] }, /DO_READDIRPLUS/],
    ['EXPLICIT_INVAL_DATA', { optional: ['AUTO_INVAL_DATA'] }, {}, /AUTO_INVAL_DATA/],
    ['EXPORT_SUPPORT', { optional: ['NO_EXPORT_SUPPORT'] }, {}, /NO_EXPORT_SUPPORT/],
    ['ALLOW_IDMAP', {}, { defaultPermissions: true }, /default_permissions/],
    ['ALLOW_IDMAP', {}, { optional: ['POSIX_ACL'] }, /default_permissions/],
    ['REQUEST_TIMEOUT', {}, { requestTimeout: 60 }, /requestTimeout/],
    ['WRITEBACK_CACHE', { required: ['PASSTHROUGH'], maxStackDepth: 1 }, { maxStackDepth: 1 }, /passthrough/],
    ['NO_OPEN_SUPPORT', { required: ['PASSTHROUGH'], maxStackDepth: 1 }, {}, /OPEN/],
  ]

  it.each(rules)('%s is not taken where the kernel would not honour it', (flag, without, withIt, reason) => {
    const required = [...(without.required ?? []), flag]
    expect(refusal({ ...without, required })).toMatchObject({
      flag,
      reason: expect.stringMatching(reason) as string,
    })
    const dropped = agree({ ...without, optional: [...(without.optional ?? []), flag] })
    expect(names(dropped)).not.toContain(flag)
    expect(missing(dropped)).toContain(flag)
    const taken = agree({ ...withIt, required: [...(withIt.required ?? []), flag] })
    expect(names(taken)).toContain(flag)
  })

  it('MAP_ALIGNMENT needs an alignment, and is in the reply then', () => {
    const kernel = { ...linux618, flags: (linux618.flags | (1 << 26)) >>> 0 }
    expect(refusal({ required: ['MAP_ALIGNMENT'] }, kernel)).toMatchObject({ flag: 'MAP_ALIGNMENT' })
    const result = negotiate(kernel, { required: ['MAP_ALIGNMENT'], mapAlignment: 12 })
    expect(result).toMatchObject({ outcome: 'agreed', reply: { mapAlignment: 12 } })
  })

  it('SECURITY_CTX needs minor version 38', () => {
    const kernel = { ...linux618, minor: 37 }
    expect(refusal({ required: ['SECURITY_CTX'] }, kernel)).toMatchObject({ flag: 'SECURITY_CTX' })
    expect(names(agree({ required: ['SECURITY_CTX'] }))).toContain('SECURITY_CTX')
  })

  it('of passthrough and write-back cache the required one stays, passthrough by default', () => {
    const both: readonly InitFlagName[] = ['PASSTHROUGH', 'WRITEBACK_CACHE']
    const maxStackDepth = 2
    expect(refusal({ required: both, maxStackDepth })).toMatchObject({ flag: 'WRITEBACK_CACHE' })
    expect(missing(agree({ optional: both, maxStackDepth }))).toEqual(['WRITEBACK_CACHE'])
    const writeback = agree({ required: ['WRITEBACK_CACHE'], optional: ['PASSTHROUGH'], maxStackDepth })
    expect(missing(writeback)).toEqual(['PASSTHROUGH'])
    expect(writeback.maxStackDepth).toBe(0)
    const kernel = { ...linux618, flags2: linux618.flags2 & ~(1 << 5) }
    expect(missing(agree({ optional: both, maxStackDepth }, kernel))).toEqual(['PASSTHROUGH'])
  })

  it('passthrough gives way to a required NO_OPEN_SUPPORT', () => {
    const wanted: ServerCapabilities = {
      required: ['NO_OPEN_SUPPORT'],
      optional: ['PASSTHROUGH'],
      maxStackDepth: 1,
    }
    expect(missing(agree(wanted))).toEqual(['PASSTHROUGH'])
    expect(refusal({ ...wanted, required: ['NO_OPEN_SUPPORT', 'PASSTHROUGH'] })).toMatchObject({
      flag: 'NO_OPEN_SUPPORT',
    })
  })

  it('a flag that falls takes with it what depends on it', () => {
    const kernel = { ...linux618, flags: linux618.flags & ~(1 << 13) }
    expect(missing(agree({ optional: ['READDIRPLUS_AUTO', 'DO_READDIRPLUS'] }, kernel))).toEqual([
      'DO_READDIRPLUS',
      'READDIRPLUS_AUTO',
    ])
  })
})

describe('limits', () => {
  it('have defaults', () => {
    expect(agree({})).toMatchObject({
      maxWrite: 1048576,
      maxPages: 256,
      maxReadahead: 131072,
      maxBackground: 64,
      congestionThreshold: 48,
      timeGran: 1,
      maxStackDepth: 0,
      requestTimeout: 0,
    })
  })

  it('are what was wanted', () => {
    const result = negotiate(linux618, {
      required: ['PASSTHROUGH'],
      maxStackDepth: 2,
      maxWrite: 131073,
      maxReadahead: 4096,
      maxBackground: 10,
      congestionThreshold: 10,
      timeGran: 1000,
      requestTimeout: 300,
    })
    expect(result).toMatchObject({
      outcome: 'agreed',
      replySize: 64,
      reply: {
        maxWrite: 131073,
        maxPages: 33,
        maxReadahead: 4096,
        maxBackground: 10,
        congestionThreshold: 10,
        timeGran: 1000,
        maxStackDepth: 2,
        requestTimeout: 300,
      },
    })
  })

  it('shrink without MAX_PAGES and without BIG_WRITES', () => {
    const kernel = { ...linux618, flags: linux618.flags & ~(1 << 22) }
    expect(agree({}, kernel)).toMatchObject({ maxWrite: 131072, maxPages: 32 })
    expect(negotiate(kernel, {})).toMatchObject({ reply: { maxPages: 0 } })
    expect(missing(agree({}, kernel))).toEqual(['MAX_PAGES'])
    const small = { ...kernel, flags: kernel.flags & ~(1 << 5) }
    expect(agree({}, small)).toMatchObject({ maxWrite: 4096 })
  })

  it('count pages of the machine, 65535 at most', () => {
    expect(agree({ pageSize: 65536 }).maxPages).toBe(16)
    expect(agree({ maxWrite: 0x4000_0000 })).toMatchObject({ maxPages: 65535, maxWrite: 65535 * 4096 })
  })

  it('leave room for any request', () => {
    expect(agree({}).readBufferSize).toBeGreaterThanOrEqual(1048576 + 80)
    expect(agree({ maxWrite: 4096 }).readBufferSize).toBeGreaterThanOrEqual(131072 + 4096)
  })

  it.each<[keyof ServerCapabilities, ServerCapabilities]>([
    ['maxWrite', { maxWrite: 4095 }],
    ['maxWrite', { maxWrite: NaN }],
    ['maxReadahead', { maxReadahead: -1 }],
    ['maxBackground', { maxBackground: 65536 }],
    ['congestionThreshold', { maxBackground: 4, congestionThreshold: 5 }],
    ['timeGran', { timeGran: 7 }],
    ['timeGran', { timeGran: 1e10 }],
    ['maxStackDepth', { maxStackDepth: 3 as 2 }],
    ['requestTimeout', { requestTimeout: 65536 }],
    ['mapAlignment', { mapAlignment: 64 }],
    ['pageSize', { pageSize: 512 }],
  ])('%s out of range is refused', (flag, wanted) => {
    expect(refusal(wanted)).toMatchObject({ flag })
  })

  it('INIT_RESERVED is refused', () => {
    expect(refusal({ optional: ['INIT_RESERVED'] })).toMatchObject({ flag: 'INIT_RESERVED' })
    expect(hasInitFlag(initFlags('INIT_RESERVED'), 'INIT_RESERVED')).toBe(true)
  })
})
