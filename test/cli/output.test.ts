import { describe, expect, it } from 'vitest'
import { table } from '../../src/cli/output.js'

describe('table', () => {
  it('puts columns below each other and leaves no blanks at the end', () => {
    const rows = [
      ['a', 'bb', 'the rest'],
      ['aaa', 'b', ''],
      ['', 'b'],
    ]
    expect(table(rows)).toEqual(['a    bb  the rest', 'aaa  b', '     b'])
  })
})
