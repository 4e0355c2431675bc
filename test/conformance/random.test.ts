import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { randomScenario, sensible } from '../../conformance/random.js'
import type { Call, Step } from '../../conformance/scenario.js'

const call = (...what: Call): Step => ({ p: 0, call: what })

describe('random scenarios', () => {
  it('are data: JSON gives them back', () => {
    fc.assert(
      fc.property(randomScenario, (scenario) => {
        expect(JSON.parse(JSON.stringify(scenario))).toEqual(scenario)
      }),
    )
  })

  it('never open a file under a label that is in use', () => {
    fc.assert(
      fc.property(randomScenario, ({ steps }) => {
        const open = new Set<string>()
        for (const step of steps) {
          if (!('p' in step)) continue
          const name = `${step.p} ${String(step.call[1])}`
          if (step.call[0] === 'open') {
            expect(open.has(name)).toBe(false)
            open.add(name)
          }
          if (step.call[0] === 'close') open.delete(name)
        }
      }),
    )
  })
})

describe('sensible', () => {
  it('makes an open of a call on a file that nobody has opened', () => {
    expect(sensible([call('pread', 'b', 8, 0)])).toEqual([call('open', 'a', 'f1', 'RDWR')])
  })

  it('turns a call to a file that is open', () => {
    const steps = [
      call('open', 'c', 'f2', 'RDONLY'),
      call('fstat', 'b'),
      call('close', 'c'),
      call('close', 'c'),
    ]
    expect(sensible(steps)).toEqual([
      call('open', 'a', 'f2', 'RDONLY'),
      call('fstat', 'a'),
      call('close', 'a'),
      call('open', 'a', 'f1', 'RDWR'),
    ])
  })
})
