import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { marksOf, replaceSection } from '../../scripts/generated-section.mjs'
import { dist, runCommand } from '../support/run-child.js'

describe('the table of docs/passthrough.md', () => {
  it('is what the explorer finds', { timeout: 200_000 }, async () => {
    const script = join(dirname(dist), 'scripts/passthrough-table.mjs')
    expect(await runCommand(process.execPath, [script, '--check'], 180_000)).toMatchObject({
      code: 0,
      stderr: '',
    })
  })

  it('stands between marks, and nothing else is changed', () => {
    const marks = ['<!-- explored: written by scripts/passthrough-table.mjs -->', '<!-- end of explored -->']
    const explored = marksOf('explored', 'passthrough-table.mjs')
    const document = (section: string): string => `before\n${marks[0]!}${section}${marks[1]!}\nafter`
    expect(replaceSection(document('old'), explored, 'new\n')).toBe(document('\n\nnew\n\n'))
    expect(() => replaceSection('before', explored, 'new')).toThrow(/marks|missing/)
  })
})
