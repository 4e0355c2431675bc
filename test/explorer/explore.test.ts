import { describe, expect, it } from 'vitest'
import { isFuseError } from '../../src/errors/index.js'
import { comparedProfiles, type ComparedProfile } from '../../src/explorer/comparison.js'
import { explore, type Findings } from '../../src/explorer/explore.js'
import type { Sizes } from '../../src/explorer/layout.js'
import { policies, type Policy } from '../../src/explorer/policy.js'
import { propertyNames, type Property } from '../../src/explorer/properties.js'

const SMALL: Sizes = { inodes: 1, processes: 2, steps: 3, restarts: 1, replacements: 1 }

type PolicyName = (typeof policies)[number]['name']

function find(
  profile: ComparedProfile,
  name: PolicyName,
  { sizes = SMALL, ...changes }: Partial<Policy> & { sizes?: Sizes } = {},
): Findings {
  const policy = { ...policies.find((one) => one.name === name)!, ...changes }
  return explore({ profile: comparedProfiles[profile], policy, sizes })
}

function failing({ properties }: Findings): Partial<Record<Property, string>> {
  return Object.fromEntries(
    propertyNames
      .filter((property) => properties[property].holds !== 'yes')
      .map((property) => [property, properties[property].holds]),
  )
}

describe('exploring', () => {
  it('meets the restart trap on Linux with fresh ids, and tells the way to it', () => {
    const { noEio } = find('linux', 'fresh id per life').properties
    expect(noEio).toMatchObject({ holds: 'no', rules: ['O4d'] })
    expect(noEio.trace).toHaveLength(14)
    const told = noEio.trace.join('\n')
    expect(told).toMatch(
      /server 1 registers file X: id 1\n[^]*server 1 is killed\n[^]*server 2 registers file X: id 2\n/,
    )
    expect(noEio.trace.at(-1)).toMatch(/^the kernel refuses the open of process 2 with EIO \(O4d: /)
    expect(
      find('linux', 'fresh id per life', { sizes: { ...SMALL, restarts: 0 } }).properties.noEio.holds,
    ).toBe('yes')
  })

  it('finds the cures: the journal anywhere, the flag and the comparison where the kernel has them', () => {
    for (const profile of ['linux', 'inode-cache', 'inode-compare'] as const) {
      expect(failing(find(profile, 'journal'))).toEqual({})
    }
    expect(find('inode-cache', 'flag').properties.noEio.holds).toBe('yes')
    expect(find('inode-cache', 'flag, identity checked').properties.noEio.holds).toBe('yes')
    expect(find('inode-compare', 'fresh id per life').properties.noEio.holds).toBe('unless replaced')
    expect(find('linux', 'flag').properties.noEio.rules).toEqual(['O4a'])
    expect(find('inode-compare', 'flag').properties.noEio.rules).toEqual(['O4a'])
  })

  it('tells what becomes of an inode whose file was replaced', () => {
    const flag = find('inode-cache', 'flag').properties.asNamed
    expect(flag.holds).toBe('unless replaced')
    expect(flag.trace.at(-1)).toMatch(/of file X, not the file that id 2 stands for \(O6/)
    expect(failing(find('inode-cache', 'flag, identity checked'))).toEqual({ nothingLeft: 'no' })
    const compared = find('inode-compare', 'fresh id per life').properties.noEio
    expect(compared.rules).toEqual(['O4d'])
    expect(compared.trace.join('\n')).toMatch(/exchanges the names of file X and file Y/)
  })

  it('finds registrations left by a server that forgets them, unless all are closed', () => {
    for (const name of ['fresh id per life', 'flag', 'flag, identity checked'] as const) {
      expect(find('inode-cache', name).properties.nothingLeft.holds).toBe('no')
      expect(find('inode-cache', name, { closesAll: true }).properties.nothingLeft.holds).toBe('yes')
    }
    expect(find('linux', 'fresh id per life', { closesAll: true }).properties.nothingLeft.holds).toBe('no')
    expect(
      find('linux', 'fresh id per life', { sizes: { ...SMALL, restarts: 0 } }).properties.nothingLeft.holds,
    ).toBe('yes')
  })

  it('finds that an id must not be closed while an answer that names it may not have been judged', () => {
    const closedAll = find('inode-cache', 'flag', { closesAll: true }).properties.noEio
    expect(closedAll.rules).toEqual(['O4b'])
    expect(closedAll.trace).toHaveLength(8)
    // Registered afresh in the next life, the earlier id stays until the inode is closed.
    expect(failing(find('inode-cache', 'journal, flag'))).toEqual({})
    expect(failing(find('inode-compare', 'journal, fresh id per life'))).toEqual({})
    expect(find('inode-cache', 'journal', { closesAll: true }).properties.noEio.rules).toEqual(['O4b'])
  })

  it('sees who waits for ever when nothing is resent', () => {
    const { nobodyWaits } = find('linux', 'journal', { resends: false }).properties
    expect(nobodyWaits.holds).toBe('no')
    expect(nobodyWaits.trace.at(-1)).toMatch(/there waits for ever: process 1/)
  })

  it('sees a mapping that outlives its file differ, which the kernel allows', () => {
    const journal = find('linux', 'journal')
    expect(journal.mappingDiffers).toBe(true)
    expect(journal.properties.sameFile.holds).toBe('yes')
    expect(find('linux', 'journal', { sizes: { ...SMALL, replacements: 0 } }).mappingDiffers).toBe(false)
  })

  it('follows two inodes', () => {
    const sizes: Sizes = { ...SMALL, inodes: 2 }
    const two = find('linux', 'fresh id per life', { sizes })
    expect(two.states).toBeGreaterThan(find('linux', 'fresh id per life').states)
    expect(failing(two)).toEqual(failing(find('linux', 'fresh id per life')))
    expect(failing(find('linux', 'journal', { sizes }))).toEqual({})
  })

  it('says when it has given up', () => {
    const policy = policies[0]
    const found = explore({ profile: comparedProfiles.linux, policy, sizes: SMALL, maxStates: 1_000 })
    expect(found.complete).toBe(false)
    expect(found.states).toBeLessThan(1_100)
    expect(find('linux', 'journal').complete).toBe(true)
  })

  it('refuses sizes beyond what it has room for', () => {
    expect(() => find('linux', 'journal', { sizes: { ...SMALL, processes: 4 } })).toThrow(
      expect.toSatisfy((error) => isFuseError(error, 'ERR_USAGE')) as Error,
    )
  })
})
