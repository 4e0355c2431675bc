import { readFileSync, readdirSync, readlinkSync } from 'node:fs'
import { cpus } from 'node:os'
import { CPU_LATENCY, CpuLatency, close, pidfdGetfd, pidfdOpen } from '../native/index.js'
import type { ProcessorSleep } from '../session/wakefulness.js'

/** Whether a busy server keeps idle processors from sleeping; `auto`: where that is known to pay and costs little. */
export const POLL_IDLE_CHOICES = ['auto', 'always', 'never'] as const
export type PollIdle = (typeof POLL_IDLE_CHOICES)[number]

/** All idle processors poll, of which a small machine has one or two. */
const MOST_PROCESSORS = 4

/** The sleep of this machine's processors, as long as it is open. */
export interface OwnProcessorSleep extends ProcessorSleep {
  close(): void
}

/** undefined: they sleep as they like, or this process has no say in it. */
export function processorSleep(when: PollIdle): OwnProcessorSleep | undefined {
  if (when === 'never' || (when === 'auto' && !isWorthWhile(cpuidleDriver(), cpus().length))) return undefined
  const latency = CpuLatency.open()
  if (typeof latency === 'number') return undefined
  return {
    forbid: () => void latency.set(0),
    allow: () => void latency.set(undefined),
    close: () => {
      latency.close()
    },
  }
}

/**
 * In a virtual machine that gives its processor back to the host whenever it is idle: a processor of its own would sleep
 * lightly. And only where few are idle.
 */
export function isWorthWhile(driver: string, processors: number): boolean {
  return driver === 'haltpoll' && processors <= MOST_PROCESSORS
}

/** Lifts the limit of a server whose thread stands still and cannot do it: it may do so for long. */
export function allowSleepInPlaceOf(pid: number): void {
  const fd = openCpuLatency(pid)
  if (fd < 0) return
  const pidfd = pidfdOpen(pid)
  if (pidfd < 0) return
  const shared = pidfdGetfd(pidfd, fd)
  close(pidfd)
  if (shared < 0) return
  const latency = new CpuLatency(shared)
  latency.set(undefined)
  latency.close()
}

function openCpuLatency(pid: number): number {
  try {
    const directory = `/proc/${pid}/fd`
    return Number(
      readdirSync(directory).find((fd) => readlinkSync(`${directory}/${fd}`) === CPU_LATENCY) ?? -1,
    )
  } catch {
    // It has ended.
    return -1
  }
}

function cpuidleDriver(): string {
  try {
    return readFileSync('/sys/devices/system/cpu/cpuidle/current_driver', 'latin1').trim()
  } catch {
    return 'none'
  }
}
