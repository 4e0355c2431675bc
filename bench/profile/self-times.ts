import { placeOf, type CallFrame } from './call-frame.js'

/** A profile as V8's inspector gives it. */
export interface Profile {
  readonly nodes: readonly {
    readonly id: number
    readonly children?: readonly number[]
    readonly callFrame: CallFrame
  }[]
  readonly samples: readonly number[]
  readonly timeDeltas: readonly number[]
}

export interface SelfTime {
  /** Function, file and line. */
  readonly where: string
  /** Of the time that was not idle. */
  readonly share: number
}

/** Functions by file and line. Native ones, which all go by one name, by the function that calls them. */
function placesOf(nodes: Profile['nodes']): Map<number, string> {
  const places = new Map(nodes.map(({ id, callFrame }) => [id, placeOf(callFrame)]))
  for (const { id, children = [], callFrame } of nodes) {
    if (callFrame.url === '') continue
    for (const child of children) {
      if (places.get(child)!.endsWith(' :0')) places.set(child, `(native) in ${places.get(id)!}`)
    }
  }
  return places
}

/** Time spent in each function itself, not in those it calls; the most first. */
export function selfTimes({ nodes, samples, timeDeltas }: Profile): SelfTime[] {
  const places = placesOf(nodes)
  const times = new Map<string, number>()
  let busy = 0
  for (const [index, id] of samples.entries()) {
    const where = places.get(id) ?? ''
    if (where.startsWith('(idle)')) continue
    const delta = timeDeltas[index] ?? 0
    busy += delta
    times.set(where, (times.get(where) ?? 0) + delta)
  }
  return [...times].map(([where, time]) => ({ where, share: time / busy })).sort((a, b) => b.share - a.share)
}
