import { Global, Inode, Phase, Process, ReleaseState, Status, type Layout } from './layout.js'
import type { Policy } from './policy.js'
import { Step } from './step.js'

/**
 * Writes every step that is possible in a state to `steps` and answers how many. A server does one thing at a time:
 * between reading a request and beginning it anything may happen, but once it has begun it reads nothing else.
 * Requests are read in any order, since the kernel resends them in any order.
 */
export function enabledSteps(layout: Layout, policy: Policy, state: Uint8Array, steps: Uint16Array): number {
  let count = 0
  const add = (kind: number, subject: number): void => {
    steps[count++] = kind * 16 + subject
  }

  let begun = false
  for (let process = 0; process < layout.processes; process++) {
    const at = layout.process(process)
    const phase = state[at + Process.phase]!
    if (phase === Phase.openRegistered || phase === Phase.openNoted) begun = true
    if (phase === Phase.openAnswered) add(Step.judge, process)
    if (state[at + Process.steps] === 0) continue
    if (phase === Phase.idle) {
      for (let inode = 0; inode < layout.inodes; inode++) add(Step.open, process * 2 + inode)
    } else if (phase === Phase.open) {
      add(Step.close, process)
      if (state[at + Process.mapping] === 0) add(Step.map, process)
      const { written } = Inode
      if (state[layout.inode(state[at + Process.inode]!) + written] !== state[at + Process.file]! + 1) {
        add(Step.write, process)
      }
    }
    if (state[at + Process.mapping] !== 0) add(Step.unmap, process)
  }

  const status = state[Global.status]
  if (status === Status.dead) {
    add(Step.start, 0)
    if (state[Global.replacements] !== 0) add(Step.exchange, 0)
    return count
  }
  if (state[Global.kills] !== 0) add(Step.kill, 0)
  if (state[Global.closing] !== 0 || state[Global.closingFormer] !== 0) add(Step.closeId, 0)
  else if (status === Status.settling) add(Step.settle, 0)
  else if (status === Status.settled) add(Step.resend, 0)
  else if (begun) addBegun()
  else addRequests()
  return count

  function addBegun(): void {
    for (let process = 0; process < layout.processes; process++) {
      const phase = state[layout.process(process) + Process.phase]
      if (phase === Phase.openRegistered) add(policy.remembers ? Step.note : Step.answerOpen, process)
      else if (phase === Phase.openNoted) add(Step.answerOpen, process)
    }
  }

  function addRequests(): void {
    if (status === Status.unswept) add(Step.sweep, 0)
    for (let process = 0; process < layout.processes; process++) {
      const phase = state[layout.process(process) + Process.phase]
      if (phase === Phase.openQueued) add(Step.readOpen, process)
      else if (phase === Phase.openRead) add(Step.beginOpen, process)
      else if (phase === Phase.refusedQueued) add(Step.readRefused, process)
      else if (phase === Phase.refusedRead) add(Step.releaseRefused, process)
    }
    for (let place = 0; place < layout.releases; place++) {
      const release = state[layout.releasesAt + place]!
      // They are in order: what is equal stands side by side, and leads to the same states.
      if (release === 0) break
      if (place > 0 && release === state[layout.releasesAt + place - 1]) continue
      const at = release & 3
      if (at === ReleaseState.queued) add(Step.readRelease, place)
      else if (at === ReleaseState.read) add(Step.release, place)
    }
  }
}
