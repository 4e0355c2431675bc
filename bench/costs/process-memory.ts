import { readFileSync } from 'node:fs'
import type { ProcessMemory } from '../results.js'
import type { Mounted } from '../rows/row.js'

function mebibytes(file: string, field: string): number {
  const line = readFileSync(file, 'latin1')
    .split('\n')
    .find((text) => text.startsWith(`${field}:`))
  return Number(line?.match(/\d+/)?.[0] ?? NaN) / 1024
}

/** Resident memory of each process of a mount, whose server has been killed so often. */
export function memoryOf(row: string, mounted: Mounted, knownNodes: number, kills = 0): ProcessMemory[] {
  return Object.entries(mounted.processes).map(([process, pid]) => ({
    row,
    process,
    knownNodes,
    kills,
    rssMiB: mebibytes(`/proc/${pid}/status`, 'VmRSS'),
    pssMiB: mebibytes(`/proc/${pid}/smaps_rollup`, 'Pss'),
  }))
}
