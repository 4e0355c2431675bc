import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { mountMirror, type MirrorMount } from '../../support/evermount.js'
import { requireOrSkip } from '../../support/requirements.js'
import { runChild } from '../../support/run-child.js'

const SEMANTICS = new URL('./children/semantics.mjs', import.meta.url)

/**
 * What must hold in any case, so that source and mount do not agree on a failure: a part of what the scenario
 * prints.
 */
const scenarios: Readonly<Record<string, (facts: never) => void>> = {
  names: (facts: { read: boolean[]; tooLong: string }) => {
    expect(facts.read).toEqual(Array(9).fill(true))
    expect(facts.tooLong).toBe('ENAMETOOLONG')
  },
  dots: (facts: { inside: boolean[] }) => expect(facts.inside).toEqual([true, true, true]),
  hardLinks: (facts: object) => expect(facts).toMatchObject({ oneInode: true, links: [3, 3, 3], read: 'xy' }),
  sparse: (facts: { map: unknown[]; past: string }) => {
    expect(facts.map).toHaveLength(4)
    expect(facts.past).toBe('ENXIO')
  },
  huge: (facts: { size: number; reads: string[] }) => {
    expect(facts.size).toBe(5 * 2 ** 30 + 16)
    expect(facts.reads).toEqual(Array(4).fill('beyond four gibibytes'))
  },
  fallocate: (facts: { steps: unknown[][] }) => {
    expect(facts.steps[0]).toEqual([0, '1048576', '2048'])
    expect(facts.steps[4]?.[0]).toBe(0)
  },
  copyRange: (facts: object) =>
    expect(facts).toMatchObject({ copied: 2_900_000, right: true, pastTheEnd: 0 }),
  temporary: (facts: object) =>
    expect(facts).toMatchObject({ linked: 0, read: 'unnamed!', refused: 'ENOENT' }),
  append: (facts: { lines: string[] }) => expect(facts.lines).toHaveLength(238),
  direct: (facts: object) =>
    expect(facts).toMatchObject({ wrote: 1 << 20, read: 1 << 19, right: true, same: true }),
  mapped: (facts: object) =>
    expect(facts).toMatchObject({
      read: 'through memory',
      seen: 'through write',
      first: 'A',
      run: { status: 0 },
    }),
  rename: (facts: { results: unknown[] }) =>
    expect(facts.results.slice(0, 5)).toEqual(['EEXIST', 0, 0, 0, 'ENOENT']),
  special: (facts: object) =>
    expect(facts).toMatchObject({ results: [0, 0, 0, 0, 0, 'EEXIST'], pipe: { stdout: 'through\n' } }),
  sockets: (facts: object) => expect(facts).toMatchObject({ bound: 0, listening: 0, connected: 0 }),
  xattrs: (facts: unknown[]) => {
    expect(facts.slice(0, 5)).toEqual(['ENODATA', 0, 'EEXIST', 'ENODATA', 0])
    // Writing takes the capability away.
    expect(facts.at(-1)).toMatchObject({ stdout: 'f cap_net_raw=ep\n', status: 0 })
  },
  acl: (facts: { stdout: string }[]) => {
    expect(facts[0]?.stdout).toBe('plain 750\nplain/d 750\nplain/f 640\n')
    expect(facts[3]?.stdout).toContain('user:1000:rwx')
  },
  statfs: () => undefined,
  times: (facts: { steps: unknown[][]; now: boolean }) => {
    expect(facts.steps[1]).toEqual([0, '-1', '-1000000001'])
    expect(facts.now).toBe(true)
  },
  birth: (facts: object) => expect(facts).toMatchObject({ stays: true, recent: true }),
  modes: (facts: unknown[][]) => expect(facts[2]).toEqual(['ok', '104755']),
  umask: (facts: string[][]) => expect(facts[1]).toEqual(['100644', '40755', '10644', '120777']),
  openUnlinked: (facts: object) => expect(facts).toMatchObject({ text: 'before after', stat: [0, 12] }),
  opening: (facts: unknown[]) => expect(facts.slice(0, 4)).toEqual(['ENOENT', 'ENOENT', true, 'EEXIST']),
  symlinks: (facts: unknown[][]) => expect(facts.every((fact) => fact[1] === true)).toBe(true),
  listing: (facts: object) =>
    expect(facts).toMatchObject({ all: 10_000, twice: 0, even: 5_000, left: 5_000, late: [0, 1] }),
}

async function factsOf(directory: string, scenario: string): Promise<unknown> {
  const { code, stdout, stderr } = await runChild(SEMANTICS, [directory, scenario], 50_000)
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  return JSON.parse(stdout)
}

/** Those that read, write or open: the others do not know whether there is passthrough. */
const ofData =
  'sparse huge fallocate copyRange temporary append direct mapped times modes openUnlinked opening'

describe.each([
  ['with passthrough', [], Object.keys(scenarios)],
  ['without passthrough', ['--no-passthrough'], ofData.split(' ')],
])('the mirror does what its source does: %s', { timeout: 120_000 }, (_, args, names) => {
  let mirror: MirrorMount | undefined

  beforeAll(async () => {
    if (process.getuid?.() === 0) mirror = await mountMirror({ args, guardMs: 240_000 })
  })

  afterAll(async () => {
    await mirror?.[Symbol.asyncDispose]()
  })

  beforeEach((context) => {
    requireOrSkip(context, 'root', 'fuse')
  })

  it.each(names)('%s', async (scenario) => {
    const plain = join(mirror!.folder, `plain-${scenario}`)
    mkdirSync(plain)
    mkdirSync(join(mirror!.source, scenario))
    const expected = await factsOf(plain, scenario)
    scenarios[scenario]!(expected as never)
    expect(await factsOf(join(mirror!.mountPoint, scenario), scenario)).toEqual(expected)
  })

  it('tells the same of the file system: statfs', async () => {
    const { stdout } = await mirror!.sh('stat -f -c "%l %s %S %b %f %a %c %d" "$SRC" "$MNT"')
    const [source, mount] = stdout
      .trim()
      .split('\n')
      .map((line) => line.split(' ').map(Number))
    // Free space changes by itself between the two calls.
    expect(mount!.slice(0, 4)).toEqual(source!.slice(0, 4))
    for (const index of [4, 5, 7]) expect(mount![index]! / source![index]!).toBeCloseTo(1, 1)
  })
})
