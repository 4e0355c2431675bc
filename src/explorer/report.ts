import { titleOf, type ComparedProfile, type Row } from './comparison.js'
import type { Finding } from './faults.js'
import type { Sizes } from './layout.js'
import { properties, propertyNames, type Property } from './properties.js'

/** Columns of the table. */
export const headings: Readonly<Record<Property, string>> = {
  sameFile: 'one file',
  noEio: 'no EIO',
  readBack: 'read back',
  nothingLeft: 'nothing left',
  counts: 'counts',
  nobodyWaits: 'nobody waits',
  asNamed: 'as named',
}

/** The rows of one kernel, its headings first. */
export function cellsOf(rows: readonly Row[], profile: ComparedProfile): string[][] {
  return [
    [profile, ...propertyNames.map((property) => headings[property])],
    ...rows
      .filter((row) => row.profile === profile)
      .map((row) => [titleOf(row), ...propertyNames.map((property) => cell(row.properties[property]))]),
  ]
}

function cell({ holds, rules }: Finding): string {
  return rules.length === 0 ? holds : `${holds} (${rules.join(', ')})`
}

/** The bounds that what was found is subject to. */
export function describeSizes({ inodes, processes, steps, restarts, replacements }: Sizes): string {
  const plural = (count: number, noun: string, ending = 's'): string =>
    `${count} ${noun}${count === 1 ? '' : ending}`
  return (
    `${plural(inodes, 'inode')}, 2 files, ${plural(processes, 'process', 'es')} ` +
    `of at most ${plural(steps, 'step')} each, ${plural(restarts, 'restart')}, ` +
    `the file replaced at most ${replacements === 1 ? 'once' : `${replacements} times`} between two servers`
  )
}

/** The section of docs/passthrough.md, formatted as prettier would. */
export function toMarkdown(rows: readonly Row[], sizes: readonly Sizes[]): string {
  const profiles = [...new Set(rows.map(({ profile }) => profile))]
  const states = rows.reduce((sum, row) => sum + row.states, 0)
  const trap = rows.find(({ profile, policy }) => profile === 'linux' && policy === 'fresh id per life')
  return [
    `Every interleaving was explored of:`,
    '',
    ...sizes.map((size) => `- ${describeSizes(size)}`),
    '',
    `That is ${states} states in all. The columns:`,
    '',
    ...propertyNames.map((property) => `- _${headings[property]}_: ${properties[property]}`),
    '',
    ...profiles.flatMap((profile) => [...markdownTable(cellsOf(rows, profile)), '']),
    ...(trap === undefined ? [] : ['The restart trap, as the explorer tells it:', '', ...indented(trap), '']),
  ].join('\n')
}

function indented({ properties: { noEio } }: Row): string[] {
  return noEio.trace.map((line, index) => `    ${String(index + 1).padStart(2)}. ${line}`)
}

function markdownTable(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0]!.map((_, column) => Math.max(3, ...rows.map((row) => row[column]!.length)))
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((text, column) => text.padEnd(widths[column]!)).join(' | ')} |`
  const [head, ...body] = rows
  return [line(head!), line(widths.map((width) => '-'.repeat(width))), ...body.map(line)]
}
