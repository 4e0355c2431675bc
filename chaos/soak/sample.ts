import { readdirSync, readFileSync } from 'node:fs'
import type { ChaosMount } from '../mount/chaos-mount.js'

/** What a mount takes after so many kills, while nobody uses it and the kernel has been made to forget what it can. */
export interface Sample {
  readonly kills: number
  readonly supervisorRssBytes: number
  readonly supervisorDescriptors: number
  readonly serverDescriptors: number
  readonly journalBytes: number
  /** Known to the journal before the kernel was made to forget. */
  readonly nodesAtWork: number
  /** ... and after: the kernel knows the root only. */
  readonly nodesAtRest: number
  readonly keptDescriptors: number
  /** Registrations that nothing uses. */
  readonly leakedBackingIds: number
}

export async function takeSample(mount: ChaosMount, kills: number): Promise<Sample> {
  const { knownNodes } = await mount.ready()
  const { nodes, keptDescriptors, backingIds } = await mount.remains()
  const { pids, journalBytes } = await mount.ready()
  return {
    kills,
    supervisorRssBytes: residentBytes(pids.supervisor),
    supervisorDescriptors: descriptors(pids.supervisor),
    serverDescriptors: descriptors(pids.server ?? 0),
    journalBytes,
    nodesAtWork: knownNodes,
    nodesAtRest: nodes,
    keptDescriptors,
    leakedBackingIds: backingIds,
  }
}

function residentBytes(pid: number): number {
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1]) * 1024
}

function descriptors(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).length
}
