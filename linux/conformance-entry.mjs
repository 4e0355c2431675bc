/** How the differential scenarios are started: what package.json's `conformance` runs with node, less its build. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const root = join(import.meta.dirname, '..')

/** Arguments for node; undefined when there is no such script, or it has not been built. */
export function conformanceEntry() {
  const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  const commands = (scripts.conformance ?? '').split('&&').map((command) => command.trim().split(/\s+/))
  const last = commands.findLast(([program, file]) => program === 'node' && file !== undefined)
  if (last === undefined || !existsSync(join(root, last[1]))) return undefined
  return last.slice(1)
}
