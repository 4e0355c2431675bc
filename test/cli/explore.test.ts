import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { evermount } from '../support/evermount.js'

const nowhere = join(tmpdir(), 'evm-does-not-exist')
const SMALL = ['--processes', '2', '--restarts', '1']

interface Document {
  readonly states: number
  readonly statesPerSecond: number
  readonly complete: boolean
  readonly change: string | null
  readonly table: readonly {
    readonly profile: string
    readonly policy: string
    readonly closesAll: boolean
    readonly properties: Record<string, { readonly holds: string; readonly trace: readonly string[] }>
  }[]
}

describe('evermount explore', () => {
  it('ends with one JSON document that has the table', async () => {
    const { code, stdout, stderr } = await evermount(['explore', '--json', ...SMALL], nowhere)
    expect(code).toBe(0)
    expect(stderr).toMatch(/^evermount: 1 inode, 2 files, 2 processes of at most 3 steps each, 1 restart, /)
    expect(stderr).toMatch(/^evermount: linux, journal: \d+ states$/m)
    const { table, complete, states, change } = JSON.parse(stdout) as Document
    expect({ complete, change }).toEqual({ complete: true, change: null })
    expect(states).toBeGreaterThan(100_000)
    const seen = (profile: string, policy: string, closesAll = false): string =>
      table.find((row) => row.profile === profile && row.policy === policy && row.closesAll === closesAll)!
        .properties['noEio']!.holds
    expect(seen('linux', 'fresh id per life')).toBe('no')
    expect(seen('linux', 'journal')).toBe('yes')
    expect(seen('inode-cache', 'flag')).toBe('yes')
    expect(seen('inode-cache', 'flag', true)).toBe('no')
    expect(seen('inode-compare', 'fresh id per life')).toBe('unless replaced')
  })

  it('tells the shortest way to a fault', async () => {
    const args = ['explore', '--trace', '--profile', 'linux', '--policy', 'fresh id per life', ...SMALL]
    const { code, stdout } = await evermount(args, nowhere)
    expect(code).toBe(0)
    expect(stdout).toMatch(/^fresh id per life +yes +no \(O4d\) /m)
    expect(stdout).toMatch(
      /^linux, fresh id per life: fails that no open fails with EIO\n +1\. process \d opens inode A/m,
    )
    expect(stdout).toMatch(/^ +14\. the kernel refuses the open of process \d with EIO \(O4d/m)
  })

  it('explores a kernel with one rule changed', async () => {
    const of = ['--profile', 'linux', '--policy', 'journal', '--change', 'keep the backing file']
    const { stdout } = await evermount(['explore', '--json', ...of, ...SMALL], nowhere)
    const { table, change } = JSON.parse(stdout) as Document
    expect(change).toBe('keep the backing file')
    expect(table.map(({ properties }) => properties['counts']!.holds)).toEqual(['no'])
  })

  it('meets a million states a minute or more', { timeout: 60_000 }, async () => {
    const of = ['--profile', 'linux', '--policy', 'fresh id per life', '--processes', '3']
    const { stdout } = await evermount(['explore', '--json', ...of], nowhere)
    const { states, statesPerSecond } = JSON.parse(stdout) as Document
    expect(states).toBeGreaterThan(100_000)
    expect(statesPerSecond).toBeGreaterThan(1_000_000 / 60)
  })

  it.each([
    [['--profile', 'plan9'], /Allowed choices are linux, inode-cache, inode-compare/],
    [['--steps', 'many'], /A whole number is expected/],
    [['--processes', '4'], /the number of processes is from 1 to 3/],
    [['--inodes', '3'], /the number of inodes is from 1 to 2/],
  ])('ends with status 2 for %j', async (args, message) => {
    const { code, stderr } = await evermount(['explore', ...args], nowhere)
    expect(stderr).toMatch(message)
    expect(code).toBe(2)
  })
})
