import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Errno } from '../../src/errors/errno.js'
import { comparedProfiles } from '../../src/explorer/comparison.js'
import { enabledSteps } from '../../src/explorer/enabled.js'
import { Global, Inode, Layout, Phase, Process, Registration } from '../../src/explorer/layout.js'
import { Machine } from '../../src/explorer/machine.js'
import { NormalForm } from '../../src/explorer/normal-form.js'
import { policies } from '../../src/explorer/policy.js'
import { Step, kindOf, subjectOf } from '../../src/explorer/step.js'
import { Journal } from '../../src/journal/journal.js'
import { Header } from '../../src/journal/layout.js'
import { PassthroughRegistry, type BackingDevice } from '../../src/passthrough/registry.js'
import { strategies, type PassthroughStrategy } from '../../src/passthrough/strategy.js'
import { SurvivingMemory } from '../support/killed-process.js'

/** Registered descriptors by id. */
class Ids implements BackingDevice {
  readonly open = new Map<number, number>()
  last = 0

  backingOpen(fd: number): number {
    this.open.set(++this.last, fd)
    return this.last
  }

  backingClose(id: number): number {
    return this.open.delete(id) ? 0 : -Errno.ENOENT
  }
}

/** The real registry, doing what the explored server does. A kill comes between two of its calls. */
class RealServer {
  readonly device = new Ids()
  readonly #memory = new SurvivingMemory()
  readonly #strategy: PassthroughStrategy
  readonly #node: number
  #journal: Journal
  #registry: PassthroughRegistry

  constructor(strategy: PassthroughStrategy) {
    this.#strategy = strategy
    this.#node = Journal.create(this.#memory, 1).nodes.add(Uint8Array.of(1), new Uint8Array(1))
    ;[this.#journal, this.#registry] = this.#life()
  }

  open(file: number): number {
    return this.#registry.open(this.#node, 10 + file)
  }

  release(): void {
    const closing = this.#registry.stageClose(this.#node, true)
    this.#journal.redo.commit(0, 0)
    this.#journal.redo.apply()
    if (closing) this.#registry.closeStaged()
  }

  restart(handles: number): void {
    ;[this.#journal, this.#registry] = this.#life()
    for (let handle = 0; handle < handles; handle++) this.#registry.adopt(this.#node, true)
    this.#registry.recover()
  }

  sweep(): void {
    this.#registry.sweep(99)
  }

  #life(): [Journal, PassthroughRegistry] {
    const journal = Journal.open(this.#memory)
    journal.header.setU32(Header.life, journal.life + 1)
    const registry = new PassthroughRegistry(journal, this.device, this.#strategy, () => undefined)
    registry.enabled = true
    return [journal, registry]
  }
}

describe('the explored policies with a journal', () => {
  it.each([
    ['journal', strategies.journal],
    ['journal, flag', strategies.inodeCache],
    ['journal, fresh id per life', strategies.inodeCompare],
  ] as const)('answer as PassthroughRegistry does: %s', (name, strategy) => {
    const policy = policies.find((one) => one.name === name)!
    const sizes = { inodes: 1, processes: 3, steps: 6, restarts: 2, replacements: 1 } as const
    const layout = new Layout(sizes)
    const machine = new Machine(layout, comparedProfiles['inode-cache'], policy)
    const normal = new NormalForm(layout, policy.remembers)
    const steps = new Uint16Array(256)
    let answered = 0
    let restarts = 0

    /** One run; `ids` are the real ids of the explored registrations. */
    const run = (choices: readonly number[]): void => {
      const server = new RealServer(strategy)
      const state = layout.initial()
      let ids: number[] = []

      const apply = (step: number): void => {
        machine.apply(state, step)
      }
      const finishServerStep = (process: number): void => {
        for (;;) {
          const phase = state[layout.process(process) + Process.phase]
          if (phase === Phase.openRegistered) apply(Step.note * 16 + process)
          else if (phase === Phase.openNoted) apply(Step.answerOpen * 16 + process)
          else return
        }
      }
      const take = (step: number): void => {
        const kind = kindOf(step)
        const process = subjectOf(step)
        const handles = state[layout.inode(0) + Inode.handles]!
        const file = layout.fileOf(state, 0)
        apply(step)
        if (kind === Step.beginOpen) {
          finishServerStep(process)
          const at = layout.process(process)
          if (state[at + Process.phase] !== Phase.openAnswered) return
          const registration = state[at + Process.registration]!
          const id = server.open(file)
          expect(ids[registration] ?? id).toBe(id)
          if (ids[registration] === undefined) expect(ids).not.toContain(id)
          ids[registration] = id
          answered++
        } else if (kind === Step.release || kind === Step.releaseRefused) {
          server.release()
          while (state[Global.closing] !== 0 || state[Global.closingFormer] !== 0) apply(Step.closeId * 16)
        } else if (kind === Step.settle) {
          server.restart(handles)
          restarts++
        } else if (kind === Step.sweep) server.sweep()
      }

      for (const choice of choices) {
        const count = enabledSteps(layout, policy, state, steps)
        if (count === 0) break
        take(steps[choice % count]!)
        const form = normal.of(state).bytes
        ids = Array.from(normal.renaming.registrations, (from) => ids[from]!)
        state.set(form)
        const registered: [number, number][] = []
        for (let id = 1; id <= layout.registrations; id++) {
          const registration = state[layout.registration(id)]!
          if ((registration & Registration.idOpen) === 0) continue
          registered.push([ids[id]!, 10 + ((registration & Registration.file) === 0 ? 0 : 1)])
        }
        expect(registered.sort()).toEqual([...server.device.open].sort())
      }
    }
    fc.assert(fc.property(fc.array(fc.nat(), { minLength: 40, maxLength: 90 }), run), { numRuns: 150 })
    expect(answered).toBeGreaterThan(100)
    expect(restarts).toBeGreaterThan(30)
  })
})
