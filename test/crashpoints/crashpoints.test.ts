import { dirname, join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { requireOrSkip } from '../support/requirements.js'
import { dist, runCommand } from '../support/run-child.js'

const root = dirname(dist)
const MAIN = join(root, 'dist-crashpoints/crashpoints/main.js')

/** Of each operation some points, a few double kills, and random sequences: all of them are `npm run crashpoints`. */
describe('npm run crashpoints', () => {
  beforeAll(async () => {
    const tsc = join(root, 'node_modules/typescript/bin/tsc')
    const { stdout, code } = await runCommand(
      process.execPath,
      [tsc, '-p', join(root, 'tsconfig.crashpoints.json')],
      120_000,
    )
    expect({ stdout, code }).toEqual({ stdout: '', code: 0 })
  }, 120_000)

  it('finds no kill that makes a difference', { timeout: 300_000 }, async () => {
    const { code, stdout, stderr } = await runCommand(process.execPath, [MAIN, '--quick', '--json'], 290_000)
    expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' })
    const result = JSON.parse(stdout) as Record<string, number>
    expect(result).toMatchObject({ mismatches: 0 })
    expect(result['operations']).toBeGreaterThan(90)
    expect(result['points']).toBeGreaterThan(1500)
    expect(result['doubleKills']).toBeGreaterThan(250)
  })

  it('finds none on the real kernel', { timeout: 300_000 }, async (context) => {
    requireOrSkip(context, 'root', 'fuse')
    const args = ['--kernel', 'real', '--quick', '--json']
    const { code, stdout, stderr } = await runCommand(process.execPath, [MAIN, ...args], 290_000)
    expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' })
    const result = JSON.parse(stdout) as Record<string, number>
    expect(result).toMatchObject({ mismatches: 0, random: { runs: 4 } })
    expect(result['points']).toBeGreaterThan(25)
    expect(result['doubleKills']).toBeGreaterThan(10)
  })

  it('plays one kill again that it is told', { timeout: 60_000 }, async () => {
    const args = ['--operation', 'rename', '--kill', '20,5']
    const { code, stderr } = await runCommand(process.execPath, [MAIN, ...args], 50_000)
    expect(stderr).toMatch(/1 operations, 2 points, 2 double kills/)
    expect(code).toBe(0)
  })

  it.each([
    ['intent', 'mkdir'],
    ['request-identity', 'rename'],
    ['object-identity', 'rename that exchanges'],
    ['answer', 'open'],
    ['forget', 'forget'],
    ['keeper', 'unlink of an open file'],
    ['registration', 'open'],
  ])('misses the protection by %s', { timeout: 60_000 }, async (protection, operation) => {
    const args = ['--operation', operation, '--doubles', '0', '--without', protection]
    const { code, stderr } = await runCommand(process.execPath, [MAIN, ...args], 50_000)
    expect(code).toBe(1)
    expect(stderr).toContain(`DIFFERS: ${operation}`)
    expect(stderr).toMatch(/killed at step \d+: after .* \/ before /)
  })

  it('says what it can do', async () => {
    const { code, stderr } = await runCommand(process.execPath, [MAIN, '--without', 'nothing'], 20_000)
    expect(code).toBe(2)
    expect(stderr).toContain('npm run crashpoints -- [options]')
  })
})
