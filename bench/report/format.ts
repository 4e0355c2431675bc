import type { Sample, Unit } from '../results.js'
import { median, summary } from '../statistics.js'

/** A number with as many digits as it is worth. */
export function figure(value: number): string {
  if (!Number.isFinite(value)) return '-'
  if (value >= 1000) return Math.round(value).toLocaleString('en-US').replaceAll(',', ' ')
  if (value >= 100) return value.toFixed(0)
  if (value >= 10) return value.toFixed(1)
  return value.toFixed(value >= 1 ? 2 : 3)
}

/** Median and, in brackets, the least and the most. */
export function spread(samples: readonly Sample[] | undefined): string {
  if (samples === undefined || samples.length === 0) return '-'
  const { median: middle, least, most } = summary(samples.map(({ value }) => value))
  return samples.length === 1 ? figure(middle) : `${figure(middle)} (${figure(least)}–${figure(most)})`
}

export function medianOf(
  samples: readonly Sample[] | undefined,
  pick: (sample: Sample) => number | undefined,
): string {
  const values = samples?.map(pick).filter((value) => value !== undefined) ?? []
  return values.length === 0 ? '-' : figure(median(values))
}

export const UNITS: Readonly<Record<Unit, string>> = {
  'MiB/s': 'MiB/s',
  '1/s': 'operations per second',
  s: 'seconds',
}

/** A table in Markdown; the first column is text, the others are numbers. */
export function markdownTable(head: readonly string[], lines: readonly (readonly string[])[]): string {
  const rule = head.map((_cell, column) => (column === 0 ? '---' : '---:'))
  return [head, rule, ...lines].map((cells) => `| ${cells.join(' | ')} |`).join('\n')
}
