import process from 'node:process'
import type { CrashPlan } from './plan.js'

/** Known once the native layer is loaded, which it is mapped by. */
let plan: CrashPlan | undefined
let isServing = false
/** The device was empty when it was last read, and nothing has been done since. */
let isPolling = false
let last = 'nothing'

export function goBy(shared: CrashPlan): void {
  plan = shared
}

/** From now on this process's steps are counted: those of the life that serves. */
export function serves(): void {
  isServing = true
}

/** Before the next request is read; how often an idle server looks for one depends on the machine: only the first time counts. */
export function readStep(what: () => string): void {
  if (!isPolling) step(what)
}

export function nothingToRead(): void {
  isPolling = true
}

/** About to be taken. Ends the process when it is told to die here. */
export function otherStep(what: () => string): void {
  isPolling = false
  step(what)
}

const kill = process.kill.bind(process)

function step(what: () => string): void {
  if (!isServing || plan?.isArmed !== true) return
  const { steps } = plan
  const name = what()
  if (steps >= plan.stepsToLive) {
    plan.noteDeath(`step ${steps}: after ${last} / before ${name}`)
    kill(process.pid, 'SIGKILL')
  }
  plan.steps = steps + 1
  last = name
}
