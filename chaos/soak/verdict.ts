import type { Sample } from './sample.js'

/** Growth of the supervisor's memory over the second half of the samples that counts as none: its heap breathes. */
const RSS_TOLERANCE = 0.15
const RSS_TOLERANCE_BYTES = 8 * 2 ** 20
/** A connection or two of those who ask, and what is just being closed. */
const DESCRIPTOR_TOLERANCE = 2
/** One piece of a table: how large it has to be follows from the most that was in hand at a time. */
const JOURNAL_TOLERANCE_BYTES = 2 * 2 ** 20

/**
 * What is not flat, in words; empty: nothing has grown with the kills. The first half is left to warm up: what grows with
 * every kill grows in the second half as well.
 */
export function growth(samples: readonly Sample[]): string[] {
  const middle = samples[Math.floor((samples.length - 1) / 2)]
  const last = samples.at(-1)
  if (middle === undefined || last === undefined) return ['there are no samples']
  const found: string[] = []
  const compare = (what: string, of: keyof Sample, tolerance: number): void => {
    if (last[of] - middle[of] > tolerance) {
      found.push(`${what}: ${middle[of]} after ${middle.kills} kills, ${last[of]} after ${last.kills}`)
    }
  }
  const memory = Math.max(RSS_TOLERANCE_BYTES, middle.supervisorRssBytes * RSS_TOLERANCE)
  compare('memory of the supervisor', 'supervisorRssBytes', memory)
  compare('descriptors of the supervisor', 'supervisorDescriptors', DESCRIPTOR_TOLERANCE)
  compare('descriptors of the server', 'serverDescriptors', DESCRIPTOR_TOLERANCE)
  compare('journal', 'journalBytes', JOURNAL_TOLERANCE_BYTES)
  for (const sample of samples) {
    const { nodesAtRest, keptDescriptors, leakedBackingIds } = sample
    if (nodesAtRest === 1 && keptDescriptors === 0 && leakedBackingIds === 0) continue
    found.push(
      `left after ${sample.kills} kills: ${nodesAtRest - 1} nodes, ${keptDescriptors} descriptors, ${leakedBackingIds} backing ids`,
    )
  }
  return found
}
