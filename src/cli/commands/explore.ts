import { InvalidArgumentError, Option, type Command } from 'commander'
import {
  DEFAULT_SIZES,
  compare,
  comparedProfiles,
  titleOf,
  type ComparedProfile,
  type Row,
} from '../../explorer/comparison.js'
import type { Sizes } from '../../explorer/layout.js'
import { policies } from '../../explorer/policy.js'
import { properties, propertyNames } from '../../explorer/properties.js'
import { cellsOf, describeSizes, headings } from '../../explorer/report.js'
import { changedRules, type ChangedRule } from '../../explorer/rules.js'
import { answer, remark, table } from '../output.js'

interface ExploreFlags extends Partial<Record<keyof Sizes, number>> {
  readonly profile?: readonly ComparedProfile[]
  readonly policy?: readonly string[]
  readonly change?: ChangedRule
  readonly maxStates?: number
  readonly trace?: boolean
  readonly json?: boolean
}

export function addExplore(program: Command): void {
  program
    .command('explore')
    .description(
      'try every order of events in a small model of kernel, servers and processes, and show what fails',
    )
    .addOption(new Option('--profile <kernel...>', 'kernels').choices(Object.keys(comparedProfiles)))
    .addOption(new Option('--policy <policy...>', 'servers').choices(policies.map(({ name }) => name)))
    .option('--trace', 'tell the shortest way to each fault')
    .option('--inodes <number>', 'inodes, 1 or 2', whole)
    .option('--processes <number>', 'processes, up to 3', whole)
    .option('--steps <number>', 'steps of each process', whole)
    .option('--restarts <number>', 'how often a server is killed', whole)
    .option('--replacements <number>', 'how often the file is replaced between two servers', whole)
    .option('--max-states <number>', 'give a row up above so many states', whole)
    .addOption(
      new Option('--change <rule>', 'change a rule of the kernel, to see what it is good for').choices(
        Object.keys(changedRules),
      ),
    )
    .option('--json', 'answer with one JSON document')
    .action(exploreAll)
}

function exploreAll(flags: ExploreFlags): void {
  const sizes = sizesOf(flags)
  for (const size of sizes) remark(describeSizes(size))
  const began = performance.now()
  let last = began
  const rows: Row[] = []
  const found = compare({
    sizes,
    ...(flags.profile === undefined ? {} : { profiles: flags.profile }),
    ...(flags.policy === undefined ? {} : { policies: flags.policy }),
    ...(flags.maxStates === undefined ? {} : { maxStates: flags.maxStates }),
    ...(flags.change === undefined ? {} : { rules: changedRules[flags.change] }),
    onProgress: (row, states) => {
      if (performance.now() - last < 5_000) return
      last = performance.now()
      remark(`${row}: ${states} states so far`)
    },
  })
  for (const row of found) {
    rows.push(row)
    last = performance.now()
    remark(`${row.profile}, ${titleOf(row)}: ${row.states} states${row.complete ? '' : ', GIVEN UP'}`)
  }
  const seconds = (performance.now() - began) / 1_000
  const states = rows.reduce((sum, row) => sum + row.states, 0)
  const statesPerSecond = Math.round(states / seconds)
  const document = {
    sizes,
    change: flags.change ?? null,
    states,
    seconds: Number(seconds.toFixed(2)),
    statesPerSecond,
    complete: rows.every(({ complete }) => complete),
    properties,
    table: rows,
  }
  answer(flags, document, [
    ...[...new Set(rows.map(({ profile }) => profile))].flatMap((profile) => [
      ...table(cellsOf(rows, profile)),
      '',
    ]),
    ...(flags.trace === true ? rows.flatMap(tracesOf) : []),
    ...propertyNames.map((property) => `${headings[property]}: ${properties[property]}`),
    `${states} states in ${seconds.toFixed(1)} s, ${statesPerSecond} a second` +
      (document.complete ? '' : '; NOT all: a row was given up, and its "yes" is of the states met only'),
  ])
}

function sizesOf({ inodes, processes, steps, restarts, replacements }: ExploreFlags): readonly Sizes[] {
  if ([inodes, processes, steps, restarts, replacements].every((size) => size === undefined))
    return DEFAULT_SIZES
  const standard = DEFAULT_SIZES[0]!
  return [
    {
      inodes: inodes ?? standard.inodes,
      processes: processes ?? standard.processes,
      steps: steps ?? standard.steps,
      restarts: restarts ?? standard.restarts,
      replacements: replacements ?? standard.replacements,
    },
  ]
}

function tracesOf(row: Row): string[] {
  return propertyNames.flatMap((property) => {
    const { holds, trace } = row.properties[property]
    if (holds === 'yes') return []
    const title = `${row.profile}, ${titleOf(row)}: fails that ${properties[property]}`
    return [title, ...trace.map((line, index) => `${String(index + 1).padStart(4)}. ${line}`), '']
  })
}

function whole(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('A whole number is expected.')
  return Number(text)
}
