import { ROW_NAMES, type Measurement, type Results, type Sample } from '../results.js'
import { ratio } from '../statistics.js'
import { check, checkAlike, type Verdict } from '../targets.js'
import { figure, markdownTable, medianOf, spread, UNITS } from './format.js'

/** All results as Markdown. */
export function tables(results: Results): string {
  const parts = [machine(results)]
  const kinds = new Set(results.measurements.map(({ group, unit }) => `${group}\0${unit}`))
  for (const kind of kinds) {
    const [group, unit] = kind.split('\0')
    const list = results.measurements.filter((one) => one.group === group && one.unit === unit)
    parts.push(`### ${heading(group!)}: ${UNITS[list[0]!.unit]}`, speeds(list))
    if (list.some(hasCpu)) {
      parts.push(
        `### ${heading(group!)}: server CPU time per operation, µs`,
        costs(list, ({ serverCpuUs }) => serverCpuUs),
      )
      parts.push(
        `### ${heading(group!)}: time of an operation for its client, median and 99 %, µs`,
        latencies(list),
      )
    }
  }
  parts.push(
    ...memory(results),
    ...journal(results),
    ...takeover(results),
    ...verdicts(check(results)),
    ...alike(results),
    ...besideC(results),
  )
  return parts.join('\n\n')
}

const heading = (group: string): string => group.charAt(0).toUpperCase() + group.slice(1)

function machine({ machine: { cpu, cores, memoryGiB, ...rest }, settings }: Results): string {
  const versions = Object.entries(rest.versions).map(([name, version]) => `${name} ${version}`)
  return [
    `${cpu}, ${cores} cores, ${memoryGiB} GiB, ${rest.virtual === 'none' ? 'no virtual machine' : `virtual (${rest.virtual})`}, ` +
      `Linux ${rest.kernel}, file data and tools on ${rest.sourceFileSystem}, other operations on tmpfs; ${versions.join('; ')}.`,
    `Commit ${rest.commit}, ${rest.date.slice(0, 10)}, load before ${rest.loadBefore}; settings: ${String(settings['kind'])}, ` +
      `${String(settings['rounds'])} rounds (${String(settings['dataRounds'])} of file data, ${String(settings['heavyRounds'])} of \`npm ci\`).`,
    'Median (least–most) of the rounds.',
  ].join('\n')
}

function columns(list: readonly Measurement[]): (typeof ROW_NAMES)[number][] {
  return ROW_NAMES.filter((row) =>
    list.some(({ samples, failures }) => (samples[row] ?? []).length > 0 || failures[row] !== undefined),
  )
}

function speeds(list: readonly Measurement[]): string {
  const rows = columns(list)
  return markdownTable(
    ['', ...rows],
    list.map(({ work, samples, failures }) => [
      work,
      ...rows.map((row) => (failures[row] === undefined ? spread(samples[row]) : 'failed')),
    ]),
  )
}

function hasCpu({ samples }: Measurement): boolean {
  return Object.values(samples).some((row) => row.some(({ serverCpuUs }) => serverCpuUs !== undefined))
}

function costs(list: readonly Measurement[], pick: (sample: Sample) => number | undefined): string {
  const rows = columns(list).filter((row) => row !== 'source')
  return markdownTable(
    ['', ...rows],
    list.map(({ work, samples }) => [work, ...rows.map((row) => medianOf(samples[row], pick))]),
  )
}

function latencies(list: readonly Measurement[]): string {
  const rows = columns(list)
  return markdownTable(
    ['', ...rows],
    list.map(({ work, samples }) => [
      work,
      ...rows.map(
        (row) =>
          `${medianOf(samples[row], ({ p50Us }) => p50Us)} / ${medianOf(samples[row], ({ p99Us }) => p99Us)}`,
      ),
    ]),
  )
}

function memory({ memory: list }: Results): string[] {
  if (list.length === 0) return []
  const lines = list.map(({ row, process, knownNodes, kills, rssMiB, pssMiB }) => [
    `${row}, ${process}`,
    figure(knownNodes),
    String(kills),
    figure(rssMiB),
    figure(pssMiB),
  ])
  return [
    '### Memory',
    markdownTable(['process', 'known nodes', 'kills before', 'resident MiB', 'shared in part MiB'], lines),
  ]
}

function journal({ journal: list, journalTimes: times }: Results): string[] {
  const parts: string[] = []
  if (list.length > 0) {
    const lines = list.map(({ operation, bytesPerOperation, requestAndAnswerBytes }) => [
      operation,
      figure(bytesPerOperation),
      figure(requestAndAnswerBytes),
    ])
    const head = ['operation', 'bytes written to tables', 'bytes of requests and answers']
    parts.push('### Journal per operation', markdownTable(head, lines))
  }
  if (times.length > 0) {
    const lines = times.map(({ operation, withUs, withoutUs, differenceUs, middleHalfUs, rounds }) => [
      operation,
      figure(withUs),
      figure(withoutUs),
      figure(differenceUs),
      middleHalfUs.map(figure).join(' to '),
      String(rounds),
    ])
    const head = [
      'operation',
      'with it, µs',
      'without, µs',
      'difference',
      'half of the differences',
      'pairs of runs',
    ]
    parts.push('### Time of the journal', markdownTable(head, lines))
  }
  return parts
}

function takeover({ takeover: list }: Results): string[] {
  if (list.length === 0) return []
  const lines = list.map(({ knownNodes, kills, quiet, ...ms }) => [
    figure(knownNodes),
    String(kills),
    ...[ms, quiet].flatMap(({ p50Ms, p99Ms, mostMs }) => [p50Ms, p99Ms, mostMs].map(figure)),
  ])
  const columns = ['median ms', 'p99 ms', 'longest ms']
  const head = ['known nodes', 'kills', ...columns, ...columns.map((column) => `without a kill: ${column}`)]
  return ['### Takeover: longest call of a client around a kill', markdownTable(head, lines)]
}

function verdicts(list: readonly Verdict[]): string[] {
  const short = list.filter(({ isMet }) => !isMet)
  const title = `### Targets: ${list.length - short.length} of ${list.length} met`
  if (short.length === 0) return [title]
  const lines = short.map(({ target, value, limit }) => [target, figure(value), figure(limit)])
  return [title, 'Not met:', markdownTable(['target', 'measured', 'limit'], lines)]
}

/** The comparisons of operations and tools when idle processors are treated alike for all rows. */
function alike(results: Results): string[] {
  const kinds = [checkAlike(results, 'awake'), checkAlike(results, 'halting')]
  const [awake, halting] = kinds.map((list) => new Map(list.map((verdict) => [verdict.target, verdict])))
  const lines = [...awake!.values()].flatMap(({ target, value, limit }) => {
    const other = halting!.get(target)
    return other === undefined ? [] : [[target, figure(value), figure(other.value), figure(limit)]]
  })
  if (lines.length === 0) return []
  const [metAwake, metHalting] = kinds.map((list) => list.filter(({ isMet }) => isMet).length)
  return [
    '### Operations and tools with idle processors treated alike',
    `Kept awake for all rows, ${metAwake} of ${kinds[0]!.length} targets would be met; left to halt for all, ` +
      `${metHalting} of ${kinds[1]!.length}. bindfs with one thread.`,
    markdownTable(['comparison', 'awake', 'halting', 'target'], lines),
  ]
}

/** What JavaScript costs a server that does no more than the ceiling, and what evermount does beside that. */
function besideC({ measurements }: Results): string[] {
  const lines = measurements.flatMap(({ work, samples }) => {
    const [node, ceiling, own, other] = (
      [
        'ceiling in Node.js, processors awake',
        'ceiling, processors awake',
        'evermount, processors awake',
        'bindfs, processors awake',
      ] as const
    ).map((row) => samples[row]?.map(({ value }) => value) ?? [])
    if (node!.length === 0 || / 2 clients$/.test(work)) return []
    const pairs = [
      [node!, ceiling!],
      [own!, node!],
      [own!, ceiling!],
      [own!, other!],
    ] as const
    return [
      [work, ...pairs.map(([of, to]) => (of.length === 0 || to.length === 0 ? '-' : figure(ratio(of, to))))],
    ]
  })
  if (lines.length === 0) return []
  const head = [
    'processors awake',
    "ceiling in Node.js: of the ceiling's speed",
    'evermount: of that',
    "evermount: of the ceiling's",
    "evermount: of bindfs's",
  ]
  return ['### What JavaScript costs, and what evermount does beside', markdownTable(head, lines)]
}
