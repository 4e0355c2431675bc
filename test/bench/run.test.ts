import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { beforeEach, describe, expect, it } from 'vitest'
import { ROW_NAMES, type Results } from '../../bench/results.js'
import { rows } from '../../bench/rows/index.js'
import { QUICK } from '../../bench/settings.js'
import { data } from '../../bench/work/data.js'
import { metadata } from '../../bench/work/metadata.js'
import { mixed } from '../../bench/work/mixed.js'
import { trees, watched } from '../../bench/work/trees.js'
import { requireOrSkip } from '../support/requirements.js'
import { runCommand } from '../support/run-child.js'
import { temporaryDirectories } from '../support/temporary-directory.js'

const root = fileURLToPath(new URL('../../', import.meta.url))
const TYPESCRIPT = join(root, 'node_modules/typescript/bin/tsc')

/** That it runs, and that what it says comes from the rows: figures are no matter of a test. */
describe('npm run bench', { timeout: 180_000 }, () => {
  const directory = temporaryDirectories()

  beforeEach((context) => {
    requireOrSkip(context, 'root', 'fuse', 'bindfs', 'fio', 'cc')
  })

  it('measures all rows, and says what falls short', async () => {
    const folder = directory()
    const output = join(folder, 'results.json')
    const compiled = await runCommand(process.execPath, [TYPESCRIPT, '-p', join(root, 'bench')], 60_000)
    expect(compiled.stdout + compiled.stderr).toBe('')
    const work = ['--only', 'open+close, 1', '--only', 'sequential reads of 1 MiB']
    const { code, stdout, stderr } = await runCommand(
      process.execPath,
      [
        join(root, 'bench/build/main.js'),
        '--quick',
        '--check',
        '--rounds',
        '1',
        '--seconds',
        '0.1',
        '--output',
        output,
      ].concat(work, ['--place', folder]),
      120_000,
    )
    expect(code, stderr).toBeLessThan(2)
    const results = JSON.parse(readFileSync(output, 'utf8')) as Results
    for (const [name, group] of [
      ['sequential reads of 1 MiB', data(QUICK)],
      ['open+close, 1 client', metadata(QUICK)],
    ] as const) {
      const measurement = results.measurements.find((one) => one.work.startsWith(name))
      expect(measurement?.failures, stderr).toEqual({})
      const measured = ROW_NAMES.filter((row) => (measurement?.samples[row]?.[0]?.value ?? 0) > 0)
      expect(measured).toEqual(group.rows)
    }
    expect(stdout).toContain('| open+close, 1 client |')
    const [, met, all] = /(\d+) of (\d+) targets met/.exec(stderr)!
    expect(Number(all)).toBeGreaterThan(0)
    expect(code).toBe(met === all ? 0 : 1)
    // With passthrough no server works while data is read; a server that is in the way uses its CPU at an open.
    const opens = results.measurements.find(({ work: name }) => name.startsWith('open+close'))!
    expect(opens.samples.source![0]!.serverCpuUs).toBeUndefined()
    expect(opens.samples.evermount![0]!.serverCpuUs).toBeGreaterThan(0)
    expect(opens.samples.source![0]!.value).toBeGreaterThan(opens.samples.ceiling![0]!.value)
  })

  it('goes on from the results of a run that broke off, if they are of the same kind', async () => {
    const folder = directory()
    const [first, second] = [join(folder, 'first.json'), join(folder, 'second.json')]
    const bench = (...args: string[]): ReturnType<typeof runCommand> =>
      runCommand(
        process.execPath,
        [join(root, 'bench/build/main.js'), '--quick', '--seconds', '0.1', '--place', folder].concat(
          ['--only', 'source/open+close, 1', '--output'],
          args,
        ),
        60_000,
      )
    expect((await bench(first, '--rounds', '1')).code).toBe(0)
    const results = JSON.parse(readFileSync(first, 'utf8')) as Results
    expect(results.measurements).toHaveLength(1)
    writeFileSync(first, JSON.stringify({ ...results, measurements: [] }))
    expect((await bench(second, '--rounds', '1', '--resume', first)).code).toBe(0)
    const measured = readFileSync(second, 'utf8')
    expect((JSON.parse(measured) as Results).measurements[0]?.work).toBe('open+close, 1 client')
    expect((await bench(first, '--rounds', '1', '--resume', second)).code).toBe(0)
    expect(readFileSync(first, 'utf8')).toBe(measured)
    const other = await bench(first, '--rounds', '2', '--resume', second)
    expect(other).toMatchObject({ code: 2, stderr: expect.stringContaining('other settings') as string })
  })

  it('has each row in a group, and each row of a group', () => {
    const groups = [data, metadata, trees, watched, mixed].map((group) => group(QUICK))
    const named = new Set(groups.flatMap((group) => group.rows))
    expect(ROW_NAMES.filter((name) => !named.has(name))).toEqual([])
    expect(rows.map(({ name }) => name).sort()).toEqual([...ROW_NAMES].sort())
    const works = groups.flatMap((group) => group.works.map(({ name }) => name))
    expect(new Set(works).size).toBe(works.length)
  })

  it('refuses options that there are not', async () => {
    const { code, stderr } = await runCommand(process.execPath, [
      join(root, 'bench/build/main.js'),
      '--rounds',
      '0',
    ])
    expect(code).toBe(2)
    expect(stderr).toContain('--rounds takes a number above 0')
  })
})
