import type { Outcome } from './outcome.js'
import { Global, Inode, Phase, Process, ReleaseState, Status } from './layout.js'
import type { Policy } from './policy.js'
import type { StateView } from './state-view.js'

/** What servers do by their policy, and what becomes of it when one is killed. */
export class ServerSide {
  readonly #view: StateView
  readonly #policy: Policy
  readonly #closesAll: boolean
  readonly #outcome: Outcome

  /** `closesAll`: the policy has a new server close all registrations, and the kernel can. */
  constructor(view: StateView, policy: Policy, closesAll: boolean, outcome: Outcome) {
    this.#view = view
    this.#policy = policy
    this.#closesAll = closesAll
    this.#outcome = outcome
  }

  /** As PassthroughRegistry.open: the id in use, or a registration. */
  beginOpen(process: number): void {
    const { layout } = this.#view
    const policy = this.#policy
    const state = this.#view.bytes
    const index = this.#view.get(process, Process.inode)
    const inode = this.#view.inodeOf(process)
    const file = layout.fileOf(state, index)
    if (policy.checksIdentity && file !== index) {
      // ESTALE.
      this.#view.toIdle(process)
      return
    }
    const known = state[inode + Inode.id]!
    const replaceable = policy.remembers && !policy.keepsIds && state[inode + Inode.former] === 0
    const inUse = !replaceable || state[inode + Inode.ofThisLife] === 1
    if (policy.idPer === 'inode' && known !== 0 && inUse) {
      this.answerOpen(process, known)
      return
    }
    this.#view.set(process, Process.phase, Phase.openRegistered)
    this.#view.set(process, Process.registration, this.#view.register(file))
  }

  /** Into the journal, together with the id that it takes the place of. */
  note(process: number): void {
    const state = this.#view.bytes
    const inode = this.#view.inodeOf(process)
    if (state[inode + Inode.id] !== 0) state[inode + Inode.former] = state[inode + Inode.id]!
    state[Global.lost] = 0
    state[inode + Inode.id] = this.#view.get(process, Process.registration)
    if (!this.#policy.keepsIds) state[inode + Inode.ofThisLife] = 1
    this.#view.set(process, Process.phase, Phase.openNoted)
  }

  answerOpen(process: number, registration: number): void {
    const state = this.#view.bytes
    if (this.#policy.idPer === 'inode') {
      const inode = this.#view.inodeOf(process)
      state[inode + Inode.id] = registration
      if (!this.#policy.keepsIds) state[inode + Inode.ofThisLife] = 1
      state[inode + Inode.handles]!++
    }
    this.#view.set(process, Process.phase, Phase.openAnswered)
    this.#view.set(process, Process.registration, registration)
    this.#view.set(process, Process.known, 1)
  }

  /** A RELEASE is answered; the ids of its inode, if nothing else has it open, are closed afterwards. */
  endHandle(index: number, known: number, registration: number): void {
    if (known === 0) return
    const state = this.#view.bytes
    if (this.#policy.idPer === 'open') {
      state[Global.closing] = registration
      return
    }
    const inode = this.#view.layout.inode(index)
    if (state[inode + Inode.handles] === 0) {
      this.#outcome.underflow = true
      return
    }
    if (--state[inode + Inode.handles]! > 0) return
    state[Global.closing] = state[inode + Inode.id]!
    state[Global.closingFormer] = state[inode + Inode.former]!
    state[inode + Inode.id] = state[inode + Inode.former] = 0
    state[inode + Inode.ofThisLife] = 0
  }

  closeId(): void {
    const state = this.#view.bytes
    const noted = state[Global.closing] === 0 ? Global.closingFormer : Global.closing
    this.#view.closeId(state[noted]!)
    state[noted] = 0
  }

  /** As PassthroughRegistry.recover: an id that was noted for an OPEN without an answer is closed. */
  settle(): void {
    const { layout } = this.#view
    const policy = this.#policy
    const state = this.#view.bytes
    if (policy.remembers) {
      for (let index = 0; index < layout.inodes; index++) {
        const inode = layout.inode(index)
        if (state[inode + Inode.id] === 0 || state[inode + Inode.handles] !== 0) continue
        state[Global.closing] = state[inode + Inode.id]!
        state[inode + Inode.id] = 0
        return
      }
    }
    if (this.#closesAll) {
      for (let id = 1; id <= layout.registrations; id++) this.#view.closeId(id)
      state[Global.leaked] = state[Global.lost] = 0
    }
    state[Global.status] = policy.resends ? Status.settled : this.#firstServing()
  }

  resend(): void {
    const { layout } = this.#view
    const state = this.#view.bytes
    for (let process = 0; process < layout.processes; process++) {
      const phase = this.#view.get(process, Process.phase)
      if (phase === Phase.openLost) this.#view.set(process, Process.phase, Phase.openQueued)
      else if (phase === Phase.refusedLost) this.#view.set(process, Process.phase, Phase.refusedQueued)
    }
    for (let place = layout.releasesAt; place < layout.releasesAt + layout.releases; place++) {
      if ((state[place]! & 3) === ReleaseState.lost) state[place] = (state[place]! & ~3) | ReleaseState.queued
    }
    state[Global.status] = this.#firstServing()
  }

  #firstServing(): number {
    return this.#policy.remembers ? Status.unswept : Status.serving
  }

  /** What the server had in hand waits for a RESEND, and what it knew is gone but for the journal. */
  kill(): void {
    const { layout } = this.#view
    const policy = this.#policy
    const state = this.#view.bytes
    state[Global.status] = Status.dead
    state[Global.kills]!--
    for (let process = 0; process < layout.processes; process++) this.#loseFrom(process)
    for (let place = layout.releasesAt; place < layout.releasesAt + layout.releases; place++) {
      let release = state[place]!
      if (release === 0) continue
      if ((release & 3) === ReleaseState.read) release |= ReleaseState.lost
      state[place] = policy.remembers ? release : release & 0b111
    }
    for (let index = 0; index < layout.inodes; index++) {
      const inode = layout.inode(index)
      state[inode + Inode.ofThisLife] = 0
      if (!policy.remembers) state[inode + Inode.id] = state[inode + Inode.handles] = 0
    }
    if (!policy.remembers) state[Global.closing] = state[Global.closingFormer] = 0
  }

  #loseFrom(process: number): void {
    const phase = this.#view.get(process, Process.phase)
    if (phase === Phase.refusedRead) this.#view.set(process, Process.phase, Phase.refusedLost)
    else if (phase === Phase.openRead || phase === Phase.openRegistered || phase === Phase.openNoted) {
      this.#view.set(process, Process.phase, Phase.openLost)
      this.#view.set(process, Process.registration, 0)
    }
    if (this.#policy.remembers) return
    // A reply that is with the kernel names its id still.
    this.#view.set(process, Process.known, 0)
    if (phase !== Phase.openAnswered) this.#view.set(process, Process.registration, 0)
  }
}
