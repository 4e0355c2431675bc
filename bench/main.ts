import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { measureJournal } from './costs/journal.js'
import { measureKnownNodes } from './costs/known-nodes.js'
import { describeMachine } from './machine.js'
import { parseOptions, USAGE, type Options } from './options.js'
import { mountFusectl } from './mount-table.js'
import { compile, root } from './programs.js'
import { writeReport } from './report/document.js'
import { figure } from './report/format.js'
import { tables } from './report/table.js'
import { readResults, writeResults, type Results } from './results.js'
import { measureGroup } from './rounds.js'
import { rows } from './rows/index.js'
import { check, checkAlike } from './targets.js'
import { data } from './work/data.js'
import { metadata } from './work/metadata.js'
import { mixed } from './work/mixed.js'
import { trees, watched } from './work/trees.js'

const DOCUMENT = join(root, 'docs/performance.md')
const IMAGE = join(root, 'docs/performance.svg')

const tell = (text: string): void => {
  process.stderr.write(`${text}\n`)
}

/** Nothing yet, or what an earlier run has left. Throws when that was another kind of run, or on another machine. */
function begin({ settings, resume }: Options, machine: Results['machine']): Results {
  const fresh = { measurements: [], memory: [], journal: [], journalTimes: [], takeover: [] }
  if (resume === undefined) return { machine, settings: { ...settings }, ...fresh }
  const earlier = readResults(resume)
  const [here, there] = [machine, earlier.machine].map(({ cpu, cores, kernel }) =>
    [cpu, cores, kernel].join(', '),
  )
  if (JSON.stringify(earlier.settings) !== JSON.stringify(settings) || here !== there) {
    throw new Error(`${resume}: of a run with other settings, or on another machine`)
  }
  return earlier
}

/** `save` is called after each part: what has been measured is not lost when another part fails. */
async function measure(options: Options, save: (results: Results) => void): Promise<Results> {
  const { settings, filter } = options
  const place = mkdtempSync(join(options.place ?? tmpdir(), 'evermount-bench-'))
  const results = begin(options, describeMachine(place))
  try {
    await mountFusectl()
    await compile()
    for (const make of [data, metadata, trees, watched, mixed]) {
      const group = make(settings)
      if (results.measurements.some(({ group: name }) => name === group.name)) continue
      const measured = await measureGroup(group, { place, rows, filter, settings, tell })
      results.measurements.push(...measured)
      save(results)
    }
    if (filter.work('journal') && results.journalTimes.length === 0) {
      const { costs, times } = await measureJournal(place, settings)
      results.journal.push(...costs)
      results.journalTimes.push(...times)
      save(results)
      for (const { operation, withUs, withoutUs } of times)
        tell(`journal, ${operation}: ${figure(withUs)} µs with it, ${figure(withoutUs)} µs without`)
    }
    for (const { nodes, kills } of settings.takeovers) {
      if (!filter.work(`takeover with ${nodes} nodes`)) continue
      if (results.takeover.some(({ knownNodes }) => knownNodes === nodes)) continue
      const { memory, takeover } = await measureKnownNodes(place, nodes, kills, tell)
      results.memory.push(...memory)
      results.takeover.push(takeover)
      save(results)
      tell(`takeover with ${nodes} nodes: p50 ${figure(takeover.p50Ms)} ms, p99 ${figure(takeover.p99Ms)} ms`)
    }
  } finally {
    // Each part has removed its own folder, unless a mount in it would not go.
    const left = readdirSync(place).filter((name) => name !== 'shared')
    if (left.length === 0) rmSync(place, { recursive: true, force: true })
    else tell(`left behind: ${place}`)
  }
  return results
}

function judge(results: Results): boolean {
  const verdicts = check(results)
  const short = verdicts.filter(({ isMet }) => !isMet)
  for (const { target, value, limit } of short)
    tell(`not met: ${target}: ${figure(value)}, limit ${figure(limit)}`)
  tell(`${verdicts.length - short.length} of ${verdicts.length} targets met`)
  for (const processors of ['awake', 'halting'] as const) {
    const alike = checkAlike(results, processors)
    const met = alike.filter(({ isMet }) => isMet).length
    if (alike.length > 0)
      tell(`operations and tools with all processors ${processors}: ${met} of ${alike.length}`)
  }
  return short.length === 0 && verdicts.length > 0
}

async function main(): Promise<number> {
  const options = parseOptions(process.argv.slice(2))
  if (options === undefined) {
    process.stdout.write(`${USAGE}\n`)
    return 0
  }
  let results: Results
  if (options.report !== undefined) {
    results = readResults(options.report)
    await writeReport(results, DOCUMENT, IMAGE)
    tell(`written: ${DOCUMENT}, ${IMAGE}`)
  } else {
    if (process.getuid?.() !== 0) throw new Error('the benchmark mounts and drops caches: run it as root')
    const output = resolve(options.output ?? join(root, 'bench/results/last.json'))
    mkdirSync(dirname(output), { recursive: true })
    results = await measure(options, (measured) => {
      writeResults(output, measured)
    })
    process.stdout.write(options.json ? `${JSON.stringify(results)}\n` : `${tables(results)}\n`)
    tell(`results: ${output}`)
  }
  return options.check && !judge(results) ? 1 : 0
}

try {
  process.exitCode = await main()
} catch (error) {
  tell(error instanceof Error ? error.message : String(error))
  process.exitCode = 2
}
