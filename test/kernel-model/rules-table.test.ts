import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { dist, runCommand } from '../support/run-child.js'

describe('the rules of docs/kernel-model.md', () => {
  it('are those of the code, each carried out somewhere', async () => {
    const script = join(dirname(dist), 'scripts/rules-table.mjs')
    expect(await runCommand(process.execPath, [script, '--check'], 25_000)).toMatchObject({
      code: 0,
      stderr: '',
    })
  })
})
