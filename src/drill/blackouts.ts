import type { LongestCall } from './longest-calls.js'

/** Milliseconds; 0 where there was none. */
export interface Blackouts {
  readonly p50: number
  readonly p99: number
  readonly max: number
}

/** Times in ms, monotonic. */
export interface Kill {
  readonly at: number
  /** When its successor was seen to serve; without it the next kill ends the time that is looked at. */
  readonly served?: number
}

/** A blackout is looked for in calls that are under way so long after the kill, or before the next one. */
const WINDOW_MS = 2_000

/**
 * For each kill (in order) the longest call that was under way between it and its successor's serving, or the next kill.
 * A call that outlasts the next kill counts for both.
 */
export function blackoutOfEach(kills: readonly Kill[], longest: readonly LongestCall[]): number[] {
  return kills.map(({ at, served = Infinity }, index) => {
    const until = Math.min(served, kills[index + 1]?.at ?? Infinity, at + WINDOW_MS)
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

export function inWords({ p50, p99, max }: Blackouts): string {
  return `median ${p50} ms, 99 % ${p99} ms, longest ${max} ms`
}

const round = (value: number): number => Math.round(value * 100) / 100
