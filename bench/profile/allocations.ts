/**
 * node bench/build/profile/allocations.js [OPERATION...]
 *
 * Says how many bytes of JavaScript objects the server of a real mount makes for each request of one client's operations, and
 * where, and what share of the time the collector stops it.
 */
import { join } from 'node:path'
import { root } from '../programs.js'
import { allocatedBy, type HeapProfile } from './allocated-by.js'
import { observe, observeServers, seenWhile, type Observation } from './mount.js'

const SECONDS = 4
const LINES = 12

const print = (text: string): void => void process.stdout.write(`${text}\n`)
const asked = process.argv.slice(2)
const OPERATIONS = asked.length > 0 ? asked : ['stat', 'open', 'create', 'rename', 'readdir']
const output = join(root, 'bench/build/observed.json')

interface Observed {
  /** That came meanwhile. */
  readonly requests: number
  readonly seen: object
}

async function observed(operation: string, observation: Observation): Promise<Observed> {
  observeServers(observation, output)
  let result: Observed | undefined
  await observe(operation, 1, async (mount) => {
    const count = async (): Promise<number> =>
      Object.values(await mount.requests()).reduce((sum, of) => sum + of, 0)
    await mount.run(2)
    const before = await count()
    const [, seen] = await seenWhile(mount.server, output, () => mount.run(SECONDS))
    result = { requests: (await count()) - before, seen }
  })
  return result!
}

for (const operation of OPERATIONS) {
  const { requests, seen } = await observed(operation, 'allocations')
  const places = allocatedBy(seen as HeapProfile)
  const bytes = places.reduce((sum, place) => sum + place.bytes, 0)
  const collections = (await observed(operation, 'collections')).seen
  const { count, milliseconds } = collections as { count: number; milliseconds: number }
  const share = (milliseconds / (SECONDS * 10)).toFixed(2)
  print(`${operation}: ${(bytes / requests).toFixed(0)} bytes for each of ${requests} requests`)
  print(`  the collector ran ${count} times and took ${share} % of the time`)
  for (const place of places.slice(0, LINES))
    print(`  ${(place.bytes / requests).toFixed(1).padStart(6)}  ${place.where}`)
}
