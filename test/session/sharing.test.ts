import { describe, expect, it } from 'vitest'
import { Sharing, type Processor } from '../../src/session/sharing.js'

const WINDOW = 256

/** Others run in the session's place so often in a window, where they are on its processor: the least that was seen. */
const AMONG_CLIENTS = 85
/** And where they are not: the most. */
const ALONE = 9

/**
 * A machine with two processors, and a session that serves several clients on it. A change brings it among its clients, unless
 * `isOfUse` says no; milliseconds for a window, alone and among them.
 */
class Machine {
  readonly sharing: Sharing
  alone = 4
  among = 4
  isOfUse = true
  changes = 0
  isAmongClients = false
  #now = 1000
  #replaced = 0

  constructor() {
    const processor: Processor = {
      timesReplaced: () => this.#replaced,
      change: () => {
        this.changes++
        this.#replaced += 20
        this.isAmongClients = this.isOfUse
      },
    }
    this.sharing = new Sharing(processor, () => this.#now)
  }

  /** So many windows of requests, by so many threads in turn, each of which makes so many in a row. */
  serve(windows: number, { threads = 4, row = 1, replaced = 0 } = {}): void {
    for (let window = 0; window < windows; window++) {
      this.#now += this.isAmongClients ? this.among : this.alone
      this.#replaced += replaced === 0 ? (this.isAmongClients ? AMONG_CLIENTS : ALONE) : replaced
      for (let request = 0; request < WINDOW; request++) {
        this.sharing.took(1000 + (Math.floor(request / row) % threads))
      }
    }
  }
}

describe('sharing two processors with several clients', () => {
  it('changes to the processor where they all are, and stays where some are', () => {
    const machine = new Machine()
    machine.alone = 6
    machine.serve(5)
    expect(machine.changes).toBe(1)
    machine.serve(500)
    expect(machine.changes).toBe(1)
  })

  it('changes again soon, each time that it is alone, where that pays', () => {
    const machine = new Machine()
    machine.alone = 6
    for (let turn = 0; turn < 50; turn++) {
      machine.isAmongClients = false
      machine.serve(10)
    }
    expect(machine.changes).toBe(50)
  })

  it.each([
    ['does not pay', true],
    ['is of no use', false],
  ])('tries it ever more seldom where it %s', (_why, isOfUse) => {
    const machine = new Machine()
    machine.isOfUse = isOfUse
    machine.alone = isOfUse ? 4.2 : 6
    const tries: number[] = []
    for (let window = 0; window < 20_000; window++) {
      const { changes } = machine
      machine.serve(1)
      if (machine.changes > changes) tries.push(window)
      // The kernel has put them elsewhere again.
      if (window % 10 === 9) machine.isAmongClients = false
    }
    expect(tries.length).toBeGreaterThan(5)
    expect(tries.length).toBeLessThan(14)
    const gaps = tries.slice(1).map((at, index) => at - tries[index]!)
    expect(gaps.at(-1)! / gaps[0]!).toBeGreaterThan(20)
  })

  it('tries it again when the pause is over, and goes on where it pays by now', () => {
    const machine = new Machine()
    machine.serve(100)
    const { changes } = machine
    machine.alone = 6
    machine.isAmongClients = false
    machine.serve(200)
    expect(machine.changes).toBeGreaterThan(changes)
    machine.isAmongClients = false
    const before = machine.changes
    machine.serve(10)
    expect(machine.changes).toBe(before + 1)
  })

  it('is not deceived by cheap requests during its pause', () => {
    const machine = new Machine()
    machine.serve(400)
    machine.alone = 6
    const { changes } = machine
    for (let turn = 0; turn < 200; turn++) {
      machine.isAmongClients = false
      machine.alone = 2
      machine.serve(1)
      machine.alone = 6
      machine.serve(49)
    }
    expect(machine.changes - changes).toBeGreaterThan(150)
  })

  it('tries it ever more seldom where one client alone comes in between, so that it is never known whether it pays', () => {
    const machine = new Machine()
    machine.isOfUse = false
    for (let turn = 0; turn < 1000; turn++) {
      machine.serve(4)
      machine.serve(1, { threads: 1 })
    }
    expect(machine.changes).toBeGreaterThan(5)
    expect(machine.changes).toBeLessThan(10)
  })

  it('tries it again though now and then it is not alone', () => {
    const machine = new Machine()
    machine.isOfUse = false
    const serve = (): void => {
      for (let turn = 0; turn < 100; turn++) {
        machine.serve(499)
        machine.serve(1, { replaced: 100 })
      }
    }
    serve()
    const { changes } = machine
    serve()
    expect(machine.changes - changes).toBeGreaterThan(8)
  })

  it('is not deceived by a pause that its clients make', () => {
    const machine = new Machine()
    machine.alone = 6
    machine.serve(3)
    machine.alone = 1000
    machine.serve(1)
    machine.alone = 6
    machine.among = 6
    machine.serve(1)
    expect(machine.changes).toBe(1)
    machine.serve(10)
    machine.isAmongClients = false
    machine.serve(10)
    expect(machine.changes).toBe(1)
  })

  it.each([
    ['one client', { threads: 1 }],
    ['clients that come one after the other', { threads: 64, row: 5 }],
    ['several that take turns, some of them on its processor', { threads: 4, replaced: 33 }],
  ])('stays where it is with %s', (_who, requests) => {
    const machine = new Machine()
    machine.alone = 6
    machine.serve(200, requests)
    expect(machine.changes).toBe(0)
  })

  it.each([
    ['a quarter of the requests are by another thread than the one before', { threads: 64, row: 4 }],
    ['a program that computes has its turn now and then', { threads: 4, replaced: 32 }],
  ])('changes where %s', (_who, requests) => {
    const machine = new Machine()
    machine.alone = 6
    machine.serve(5, requests)
    expect(machine.changes).toBe(1)
  })

  it('stays where it is with one client, whose requests nobody waits for in between', () => {
    const machine = new Machine()
    for (let request = 0; request < 200 * WINDOW; request++)
      machine.sharing.took(request % 3 === 0 ? 0 : 1000)
    expect(machine.changes).toBe(0)
  })
})
