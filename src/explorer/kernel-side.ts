import type { KernelProfile } from '../kernel-model/profile.js'
import type { Outcome } from './outcome.js'
import { Global, Inode, Phase, Process, Registration, ReleaseState, packRelease } from './layout.js'
import type { Policy } from './policy.js'
import type { Rules } from './rules.js'
import type { StateView } from './state-view.js'

/** What processes do and what the kernel makes of it, by the rules it is given. */
export class KernelSide {
  readonly #view: StateView
  readonly #policy: Policy
  readonly #rules: Rules
  readonly #outcome: Outcome
  readonly #circumstances

  constructor(view: StateView, profile: KernelProfile, policy: Policy, rules: Rules, outcome: Outcome) {
    this.#view = view
    this.#policy = policy
    this.#rules = rules
    this.#outcome = outcome
    this.#circumstances = {
      profile,
      passthrough: true,
      registered: (id: number) =>
        (view.registration(id) & Registration.idOpen) === 0 ? undefined : view.backing(id),
      openBacking: () => 0,
    }
  }

  open(process: number, inode: number): void {
    this.#view.spend(process)
    this.#view.set(process, Process.phase, Phase.openQueued)
    this.#view.set(process, Process.inode, inode)
  }

  map(process: number): void {
    this.#view.spend(process)
    const file = this.#view.get(process, Process.file)
    this.#view.set(process, Process.mapping, file + 1)
    this.#view.set(process, Process.mappedInode, this.#view.get(process, Process.inode))
  }

  /** C1 before RELEASE is queued. */
  close(process: number): void {
    const { layout } = this.#view
    const state = this.#view.bytes
    this.#view.spend(process)
    this.#view.setIo(
      this.#view.inodeOf(process),
      this.#rules.leave(this.#view.ioOf(this.#view.inodeOf(process)), 'uncached'),
    )
    const inode = this.#view.get(process, Process.inode)
    const release = packRelease(
      ReleaseState.queued,
      inode,
      this.#view.get(process, Process.known),
      this.#view.get(process, Process.registration),
    )
    let place = layout.releasesAt
    while (state[place] !== 0) place++
    state[place] = release
    this.#view.toIdle(process)
    this.#forgetWritten(inode)
  }

  judge(process: number): void {
    const named = this.#view.get(process, Process.registration)
    const inode = this.#view.inodeOf(process)
    const reply = { openFlags: this.#policy.openFlags, backingId: named }
    const verdict = this.#rules.judgeOpen(this.#view.ioOf(inode), reply, this.#circumstances)
    const outcome = this.#outcome
    outcome.rule = verdict.rule
    const keepsNamed = this.#policy.idPer === 'open' && this.#view.get(process, Process.known) === 1
    if (!keepsNamed) this.#view.set(process, Process.registration, 0)
    if (verdict.kind === 'refused') {
      outcome.refused = true
      this.#view.set(process, Process.phase, Phase.refusedQueued)
      return
    }
    if (verdict.kind === 'waits' || verdict.backing === null)
      throw new Error(`no passthrough by ${verdict.rule}`)
    this.#view.setIo(inode, verdict.io)
    const file = verdict.backing.inode as number
    outcome.otherThanNamed = file !== this.#view.fileOfRegistration(named)
    this.#view.set(process, Process.phase, Phase.open)
    this.#view.set(process, Process.file, file)
  }

  exchange(): void {
    const state = this.#view.bytes
    state[Global.replacements]!--
    state[Global.exchanged]! ^= 1
    for (let inode = 0; inode < this.#view.layout.inodes; inode++) this.#forgetWritten(inode)
  }

  /** With the last close nobody can expect to find in another file what was written to the one before. */
  #forgetWritten(index: number): void {
    const { layout } = this.#view
    const state = this.#view.bytes
    for (let process = 0; process < layout.processes; process++) {
      if (this.#view.get(process, Process.phase) !== Phase.open) continue
      if (this.#view.get(process, Process.inode) === index) return
    }
    const inode = layout.inode(index)
    if (state[inode + Inode.written] !== layout.fileOf(state, index) + 1) state[inode + Inode.written] = 0
  }
}
