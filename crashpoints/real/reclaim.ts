import { readFileSync } from 'node:fs'

/**
 * How often the machine's caches have been dropped, or searched for what can be. The kernel then forgets inodes of any
 * mount that nobody uses at that moment: it counts lookups anew.
 */
export function reclaims(): string {
  const lines = readFileSync('/proc/vmstat', 'latin1').split('\n')
  return lines.filter((line) => /^(drop_slab|slabs_scanned) /.test(line)).join()
}
