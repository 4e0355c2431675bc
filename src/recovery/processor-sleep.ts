import { readFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { CpuLatency } from '../native/index.js'
import type { ProcessorSleep } from '../session/wakefulness.js'

/** Whether a busy server keeps idle processors from sleeping; `auto`: where that is known to pay and costs little. */
export const POLL_IDLE_CHOICES = ['auto', 'always', 'never'] as const
export type PollIdle = (typeof POLL_IDLE_CHOICES)[number]

/** All idle processors poll, of which a small machine has one or two. */
const MOST_PROCESSORS = 4

/** undefined: they sleep as they like, or this process has no say in it. */
export function processorSleep(when: PollIdle): ProcessorSleep | undefined {
  if (when === 'never' || (when === 'auto' && !isWorthWhile())) return undefined
  const latency = CpuLatency.open()
  if (typeof latency === 'number') return undefined
  return {
    forbid: () => latency.set(0),
    allow: () => latency.set(undefined),
  }
}

/** In a virtual machine that gives its processor back to the host whenever it is idle: a processor of its own would sleep lightly. */
function isWorthWhile(): boolean {
  try {
    const driver = readFileSync('/sys/devices/system/cpu/cpuidle/current_driver', 'latin1').trim()
    return driver === 'haltpoll' && cpus().length <= MOST_PROCESSORS
  } catch {
    return false
  }
}
