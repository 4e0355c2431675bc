import type { LongestCall } from './longest-calls.js'

/** Milliseconds; 0 where there was none. */
export interface Blackouts {
  readonly p50: number
  readonly p99: number
  readonly max: number
}

/** A blackout is looked for in calls that are under way so long after the kill, or before the next one. */
const WINDOW_MS = 2_000

/**
 * For each kill (ms, monotonic, in order) the longest call that was under way between it and the next one. A call
 * that outlasts the next kill counts for both.
 */
export function blackoutOfEach(kills: readonly number[], longest: readonly LongestCall[]): number[] {
  return kills.map((at, index) => {
    const until = Math.min(kills[index + 1] ?? Infinity, at + WINDOW_MS)
    let blackout = 0
    for (const [ended, duration] of longest) {
      if (ended >= at && ended - duration <= until && duration > blackout) blackout = duration
    }
    return blackout
  })
}

export function quantiles(blackouts: readonly number[]): Blackouts {
  const sorted = blackouts.toSorted((a, b) => a - b)
  const at = (share: number): number => round(sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? 0)
  return { p50: at(0.5), p99: at(0.99), max: at(1) }
}

const round = (value: number): number => Math.round(value * 100) / 100
