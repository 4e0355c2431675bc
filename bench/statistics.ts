/** What several runs of the same thing gave. */
export interface Summary {
  readonly median: number
  readonly least: number
  readonly most: number
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  if (sorted.length % 2 === 1) return sorted[middle]!
  return (sorted[middle - 1]! + sorted[middle]!) / 2
}

export function summary(values: readonly number[]): Summary {
  return { median: median(values), least: Math.min(...values), most: Math.max(...values) }
}

/** The least value that `share` of all do not exceed. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)]!
}

/**
 * How `of` compares to `to`: the median of the ratios of runs of one round, so that a slow drift of the machine
 * takes little part.
 */
export function ratio(of: readonly number[], to: readonly number[]): number {
  return median(of.slice(0, to.length).map((value, round) => value / to[round]!))
}
