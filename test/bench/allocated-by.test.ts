import { describe, expect, it } from 'vitest'
import { allocatedBy } from '../../bench/profile/allocated-by.js'

const frame = (functionName: string, url: string, lineNumber: number) => ({ functionName, url, lineNumber })

describe('allocatedBy', () => {
  it('adds up what a function allocates wherever it is called, native functions being part of their callers', () => {
    const native = { callFrame: frame('subarray', '', -1), selfSize: 96, children: [] }
    const take = {
      callFrame: frame('#take', 'file:///x/dist/session/session.js', 9),
      selfSize: 16,
      children: [native],
    }
    const serve = {
      callFrame: frame('', 'file:///x/dist/session/session.js', 4),
      selfSize: 200,
      children: [take, take],
    }
    expect(
      allocatedBy({ head: { callFrame: frame('(root)', '', -1), selfSize: 1, children: [serve] } }),
    ).toEqual([
      { where: '#take session/session.js:10', bytes: 224 },
      { where: '(anonymous) session/session.js:5', bytes: 200 },
      { where: '(root)', bytes: 1 },
    ])
  })
})
