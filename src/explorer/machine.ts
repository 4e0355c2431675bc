import type { KernelProfile } from '../kernel-model/profile.js'
import { KernelSide } from './kernel-side.js'
import { Global, Inode, Phase, Process, ReleaseState, Status, type Layout } from './layout.js'
import type { Outcome } from './outcome.js'
import type { Policy } from './policy.js'
import { kernelRules, type Rules } from './rules.js'
import { ServerSide } from './server-side.js'
import { StateView } from './state-view.js'
import { Step, kindOf, subjectOf } from './step.js'

/** Carries out one step at a time on a state, in place. */
export class Machine {
  readonly outcome: Outcome = { rule: undefined, refused: false, otherThanNamed: false, underflow: false }
  readonly layout: Layout
  readonly profile: KernelProfile
  readonly policy: Policy
  /** Whether a new server closes all registrations. */
  readonly closesAll: boolean
  readonly #view: StateView
  readonly #kernel: KernelSide
  readonly #server: ServerSide

  constructor(layout: Layout, profile: KernelProfile, policy: Policy, rules: Rules = kernelRules) {
    this.layout = layout
    this.profile = profile
    this.policy = policy
    this.closesAll = policy.closesAll && profile.closeAll !== 'none'
    this.#view = new StateView(layout)
    this.#kernel = new KernelSide(this.#view, profile, policy, rules, this.outcome)
    this.#server = new ServerSide(this.#view, policy, this.closesAll, this.outcome)
  }

  apply(state: Uint8Array, step: number): void {
    this.#view.bytes = state
    const { layout, outcome } = this
    const view = this.#view
    const kernel = this.#kernel
    const server = this.#server
    outcome.rule = undefined
    outcome.refused = outcome.otherThanNamed = outcome.underflow = false
    const subject = subjectOf(step)
    switch (kindOf(step)) {
      case Step.open:
        kernel.open(subject >> 1, subject & 1)
        return
      case Step.close:
        kernel.close(subject)
        return
      case Step.map:
        kernel.map(subject)
        return
      case Step.unmap:
        view.spend(subject)
        view.set(subject, Process.mapping, 0)
        view.set(subject, Process.mappedInode, 0)
        return
      case Step.write:
        view.spend(subject)
        state[view.inodeOf(subject) + Inode.written] = view.get(subject, Process.file) + 1
        return
      case Step.judge:
        kernel.judge(subject)
        return
      case Step.readOpen:
        view.set(subject, Process.phase, Phase.openRead)
        return
      case Step.beginOpen:
        server.beginOpen(subject)
        return
      case Step.note:
        server.note(subject)
        return
      case Step.answerOpen:
        server.answerOpen(subject, view.get(subject, Process.registration))
        return
      case Step.readRefused:
        view.set(subject, Process.phase, Phase.refusedRead)
        return
      case Step.releaseRefused:
        server.endHandle(
          view.get(subject, Process.inode),
          view.get(subject, Process.known),
          view.get(subject, Process.registration),
        )
        view.toIdle(subject)
        return
      case Step.readRelease: {
        const at = layout.releasesAt + subject
        state[at] = (state[at]! & ~3) | ReleaseState.read
        return
      }
      case Step.release: {
        const at = layout.releasesAt + subject
        const release = state[at]!
        state[at] = 0
        server.endHandle((release >> 2) & 1, (release >> 3) & 1, release >> 4)
        return
      }
      case Step.closeId:
        server.closeId()
        return
      case Step.settle:
        server.settle()
        return
      case Step.resend:
        server.resend()
        return
      case Step.sweep:
        state[Global.lost] = 0
        state[Global.status] = Status.serving
        return
      case Step.start:
        state[Global.status] = Status.settling
        return
      case Step.kill:
        server.kill()
        return
      case Step.exchange:
        kernel.exchange()
        return
    }
  }
}
