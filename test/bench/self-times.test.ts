import { describe, expect, it } from 'vitest'
import { selfTimes } from '../../bench/profile/self-times.js'

const frame = (functionName: string, url: string, lineNumber: number) => ({ functionName, url, lineNumber })

describe('selfTimes', () => {
  it('leaves out idle time, and tells native functions by their callers', () => {
    const times = selfTimes({
      nodes: [
        { id: 1, callFrame: frame('(root)', '', -1), children: [2, 3, 6] },
        { id: 2, callFrame: frame('(idle)', '', -1) },
        { id: 3, callFrame: frame('read', 'file:///x/dist/native/io.js', 17), children: [4] },
        { id: 4, callFrame: frame('any', '', -1) },
        { id: 5, callFrame: frame('any', '', -1) },
        { id: 6, callFrame: frame('write', 'file:///x/dist/native/io.js', 28), children: [5] },
      ],
      samples: [2, 3, 4, 4, 5],
      timeDeltas: [1000, 10, 20, 30, 40],
    })
    expect(times).toEqual([
      { where: '(native) in read native/io.js:18', share: 0.5 },
      { where: '(native) in write native/io.js:29', share: 0.4 },
      { where: 'read native/io.js:18', share: 0.1 },
    ])
  })
})
