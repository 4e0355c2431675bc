import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { runChild } from '../support/run-child.js'

const example = new URL('../../examples/test-with-model.mjs', import.meta.url)
const readme = new URL('../../README.md', import.meta.url)

/** The indented lines below a heading that are code of the example. */
function shownBelow(heading: string): string[] {
  const [, section = ''] = readFileSync(readme, 'utf8').split(`\n## ${heading}\n`)
  const [body = ''] = section.split('\n## ')
  return body
    .split('\n')
    .filter((line) => line.startsWith('    '))
    .map((line) => line.trim())
}

describe('examples/test-with-model.mjs', () => {
  it('tests a file system without root, over the death of its server', async () => {
    expect(await runChild(example, [], 20_000)).toMatchObject({
      code: 0,
      stdout: 'a file was read over the death of its server\n',
      stderr: '',
    })
  })

  it('is what the README shows', () => {
    const shown = shownBelow('Test your file system without root')
    const lines = readFileSync(fileURLToPath(example), 'utf8').split('\n')
    expect(shown.length).toBeGreaterThan(5)
    for (const line of shown) expect(lines).toContain(line)
  })
})
