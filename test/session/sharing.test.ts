import { describe, expect, it } from 'vitest'
import { Sharing, type Processor } from '../../src/session/sharing.js'

const WINDOW = 256

/** A processor on which nobody else runs unless the test says so. */
function processor() {
  const state = { replaced: 0, changes: 0, yields: 0 }
  const own: Processor = {
    giveWay: () => {
      state.yields++
    },
    timesReplaced: () => state.replaced,
    change: () => {
      state.changes++
    },
  }
  return { state, own }
}

/** One window of requests of so many threads in turn. */
function window(sharing: Sharing, threads: number, whileBusy: () => void = () => undefined): void {
  for (let request = 0; request < WINDOW; request++) {
    if (request === WINDOW - 1) whileBusy()
    sharing.took(1000 + (request % threads))
  }
}

describe('sharing two processors with several clients', () => {
  it('changes to the processor where they all are, and stays where some are', () => {
    const { state, own } = processor()
    const sharing = new Sharing(own)
    window(sharing, 4)
    expect(state.changes).toBe(1)
    for (let turn = 0; turn < 200; turn++) window(sharing, 4, () => (state.replaced += 100))
    expect(state.changes).toBe(1)
    window(sharing, 4)
    expect(state.changes).toBe(2)
  })

  it('stays where it is with one client, whose requests nobody waits for in between', () => {
    const { state, own } = processor()
    const sharing = new Sharing(own)
    for (let turn = 0; turn < 200; turn++) {
      for (let request = 0; request < WINDOW; request++) sharing.took(request % 3 === 0 ? 0 : 1000)
    }
    expect(state.changes).toBe(0)
  })

  it('tries ever more seldom where changing is of no use', () => {
    const { state, own } = processor()
    const sharing = new Sharing(own)
    for (let turn = 0; turn < 1000; turn++) window(sharing, 4)
    expect(state.changes).toBeGreaterThan(10)
    expect(state.changes).toBeLessThan(25)
    // It is of use again: the next change is not put off for long.
    window(sharing, 4, () => (state.replaced += 100))
    const before = state.changes
    window(sharing, 4)
    expect(state.changes).toBe(before + 1)
  })

  it('gives way when there is nothing to do, to several clients only', () => {
    const { state, own } = processor()
    const sharing = new Sharing(own)
    window(sharing, 1)
    sharing.idle()
    expect(state.yields).toBe(0)
    window(sharing, 2)
    sharing.idle()
    expect(state.yields).toBe(1)
    window(sharing, 1)
    sharing.idle()
    expect(state.yields).toBe(1)
  })
})
