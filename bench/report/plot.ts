import { parse, View, type Spec } from 'vega'
import { ROW_NAMES, type Measurement, type Results, type RowName } from '../results.js'
import { median } from '../statistics.js'

const WIDTH = 640
const STEP = 20
const COLOURS: Readonly<Record<RowName, string>> = {
  source: '#9a9a9a',
  ceiling: '#4c78a8',
  'ceiling, processors awake': '#2f4b6e',
  'ceiling, 2 readers': '#9ecae9',
  'ceiling in Node.js, processors awake': '#72b7b2',
  evermount: '#e45756',
  'evermount, processors awake': '#8c1d24',
  'evermount, processors halt': '#b3464a',
  'evermount, watch': '#f58518',
  'evermount, no passthrough': '#f2a09b',
  'evermount, writeback cache': '#b279a2',
  bindfs: '#54a24b',
  'bindfs, processors awake': '#2d6a2e',
  'bindfs, threads': '#a3d39c',
}

interface Point {
  readonly work: string
  readonly row: string
  readonly speed: number
}

/** Speeds relative to those of the better bindfs, on a logarithmic scale: to the right is faster. */
export async function plot(results: Results): Promise<string> {
  const points = results.measurements.flatMap(pointsOf)
  const works = [...new Set(points.map(({ work }) => work))]
  const view = new View(parse(specification(points, works)), { renderer: 'none' })
  try {
    return `${await view.toSVG()}\n`
  } finally {
    view.finalize()
  }
}

function pointsOf({ work, unit, samples }: Measurement): Point[] {
  const speed = (values: readonly { value: number }[]): number => {
    const middle = median(values.map(({ value }) => value))
    return unit === 's' ? 1 / middle : middle
  }
  const speeds = new Map<RowName, number>()
  for (const row of ROW_NAMES) {
    const list = samples[row]
    if (list !== undefined && list.length > 0) speeds.set(row, speed(list))
  }
  const base = Math.max(speeds.get('bindfs') ?? 0, speeds.get('bindfs, threads') ?? 0)
  if (base === 0) return []
  return [...speeds].map(([row, value]) => ({ work, row, speed: value / base }))
}

function specification(points: readonly Point[], works: readonly string[]): Spec {
  return {
    $schema: 'https://vega.github.io/schema/vega/v6.json',
    background: 'white',
    padding: 8,
    width: WIDTH,
    height: Math.max(STEP, works.length * STEP),
    title: { text: 'Speed relative to the better of the two bindfs (logarithmic; to the right is faster)' },
    data: [{ name: 'points', values: points as Point[] }],
    scales: [
      { name: 'x', type: 'log', domain: { data: 'points', field: 'speed' }, range: 'width', nice: true },
      { name: 'y', type: 'point', domain: works as string[], range: 'height', padding: 0.5 },
      {
        name: 'colour',
        type: 'ordinal',
        domain: [...ROW_NAMES],
        range: ROW_NAMES.map((name) => COLOURS[name]),
      },
    ],
    axes: [
      { orient: 'bottom', scale: 'x', grid: true, tickCount: 6, format: '~r' },
      { orient: 'left', scale: 'y', grid: true, domain: false, ticks: false, labelLimit: 300 },
    ],
    legends: [{ fill: 'colour', orient: 'top', direction: 'horizontal', columns: 6, symbolType: 'circle' }],
    marks: [
      {
        type: 'rule',
        encode: {
          enter: {
            x: { scale: 'x', value: 1 },
            y: { value: 0 },
            y2: { signal: 'height' },
            stroke: { value: '#54a24b' },
          },
        },
      },
      {
        type: 'symbol',
        from: { data: 'points' },
        encode: {
          enter: {
            x: { scale: 'x', field: 'speed' },
            y: { scale: 'y', field: 'work' },
            fill: { scale: 'colour', field: 'row' },
            size: { value: 70 },
            opacity: { value: 0.9 },
          },
        },
      },
    ],
  }
}
