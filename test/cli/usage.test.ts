import { readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { evermount } from '../support/evermount.js'

const nowhere = join(tmpdir(), 'evm-does-not-exist')

describe('the command line', () => {
  it.each([
    ['nothing', [], /Usage: evermount/],
    ['an unknown command', ['moount'], /unknown command 'moount'/],
    ['an unknown option', ['list', '--all'], /unknown option '--all'/],
    ['a missing argument', ['mirror', '/tmp'], /missing required argument 'mountpoint'/],
    ['one argument too many', ['list', 'x'], /too many arguments/],
    ['a number that is none', ['mirror', '--entry-timeout', 'x', 'a', 'b'], /A number of seconds/],
    ['a negative number', ['mirror', '--stuck-after=-1', 'a', 'b'], /A number of seconds/],
    ['an unknown strategy', ['mirror', '--strategy', 'x', 'a', 'b'], /Allowed choices are auto/],
    ['an impossible stack depth', ['mirror', '--max-stack-depth', '3', 'a', 'b'], /Allowed choices are 1, 2/],
    ['an unknown mount option', ['mirror', '-o', 'ro,shiny', 'a', 'b'], /unknown mount option shiny/],
  ])('ends with status 2 for %s', async (_, args, message) => {
    const { code, stdout, stderr } = await evermount(args, nowhere)
    expect(stderr).toMatch(message)
    expect(stderr).not.toMatch(/^\s+at /m)
    expect(stdout).toBe('')
    expect(code).toBe(2)
  })

  it('shows help and version', async () => {
    const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
      version: string
    }
    expect(await evermount(['--version'], nowhere)).toMatchObject({ code: 0, stdout: `${version}\n` })
    const help = await evermount(['--help'], nowhere)
    expect(help.code).toBe(0)
    for (const command of ['mirror', 'list', 'status', 'restart', 'unmount', 'doctor']) {
      expect(help.stdout).toMatch(new RegExp(`^ {2}${command}\\b`, 'm'))
    }
  })

  it.each(['status', 'restart', 'unmount'])(
    '%s of what is not mounted is a failure with a remedy',
    async (command) => {
      const { code, stdout, stderr } = await evermount([command, tmpdir()], nowhere)
      expect(stderr).toBe(
        `evermount: ${tmpdir()} is not mounted by evermount\nevermount list shows what is mounted.\n`,
      )
      expect(stdout).toBe('')
      expect(code).toBe(1)
      const asJson = await evermount([command, '--json', tmpdir()], nowhere)
      expect(asJson.code).toBe(1)
      expect(JSON.parse(asJson.stdout)).toMatchObject({ error: { code: 'ERR_NOT_MOUNTED' } })
    },
  )
})
