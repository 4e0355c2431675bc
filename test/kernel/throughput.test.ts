import { beforeEach, describe, expect, it } from 'vitest'
import { mountMirror } from '../support/evermount.js'
import { requireOrSkip } from '../support/requirements.js'
import { runCommand } from '../support/run-child.js'

interface Job {
  readonly name: string
  readonly rw: string
  readonly blockSize: string
  /** Least share of the source's figure. */
  readonly least: number
}

/**
 * Of small transfers the kernel's own work for passthrough is a good part: the minimal server in C of `npm run bench`,
 * which is not asked anything either, reached 0.92 of the source for random reads and 0.86 for random writes of 4 KiB
 * (Linux 6.18, medians of five rounds). So what is looked for here is a server in the way, which costs far more.
 */
const JOBS: readonly Job[] = [
  { name: 'sequential reads of 1 MiB', rw: 'read', blockSize: '1M', least: 0.95 },
  { name: 'sequential writes of 1 MiB', rw: 'write', blockSize: '1M', least: 0.95 },
  { name: 'random reads of 4 KiB', rw: 'randread', blockSize: '4k', least: 0.85 },
  { name: 'random writes of 4 KiB', rw: 'randwrite', blockSize: '4k', least: 0.8 },
]

/** Rounds at least and at most: more only while the machine was too noisy for a verdict. */
const ROUNDS = [3, 12] as const

interface FioResult {
  readonly jobs: readonly {
    readonly error: number
    readonly read: { bw: number }
    readonly write: { bw: number }
  }[]
}

/** Bandwidth in KiB/s of a run on a warm file. */
async function bandwidth(directory: string, job: Job): Promise<number> {
  const { code, stdout, stderr } = await runCommand(
    'fio',
    [
      '--name=warm',
      `--directory=${directory}`,
      '--filename=warm',
      '--size=128M',
      `--rw=${job.rw}`,
      `--bs=${job.blockSize}`,
      '--ioengine=psync',
      '--invalidate=0',
      '--overwrite=1',
      '--randseed=7',
      '--output-format=json',
    ],
    30_000,
  )
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  const [result] = (JSON.parse(stdout.slice(stdout.indexOf('{'))) as FioResult).jobs
  expect(result!.error).toBe(0)
  return Math.max(result!.read.bw, result!.write.bw)
}

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1]!

describe('throughput of a warm file', { timeout: 150_000 }, () => {
  beforeEach((context) => {
    requireOrSkip(context, 'root', 'fuse')
  })

  it.each(JOBS)('$name: at least $least of the source', async (job) => {
    await using mirror = await mountMirror({ guardMs: 140_000 })
    // One file: what the mount reads and writes is in the same pages of the cache.
    await mirror.sh('head -c 128M /dev/urandom > "$SRC/warm"; sync "$SRC/warm"; cat "$SRC/warm" > /dev/null')
    await bandwidth(mirror.mountPoint, job)
    const before = (await mirror.status()).requests
    const source: number[] = []
    const mount: number[] = []
    // The best pair: two runs that follow each other at once see most nearly the same machine.
    const ratio = (): number => Math.max(...mount.map((figure, round) => figure / source[round]!))
    while (mount.length < ROUNDS[0] || (mount.length < ROUNDS[1] && ratio() < job.least)) {
      // Interleaved, first the one, then the other: no drift of the machine favours either.
      const order = mount.length % 2 === 0 ? ['source', 'mount'] : ['mount', 'source']
      for (const side of order) {
        // Clean pages for each run, or one would pay for writing back what the other has left.
        await runCommand('sync', ['-f', mirror.source], 30_000)
        if (side === 'source') source.push(await bandwidth(mirror.source, job))
        else mount.push(await bandwidth(mirror.mountPoint, job))
      }
    }
    const { requests } = await mirror.status()
    const came = (name: string): number => (requests[name] ?? 0) - (before[name] ?? 0)
    const mib = (kib: number): string => (kib / 1024).toFixed(0)
    const figures =
      `${job.name}: best of ${mount.length} rounds ${ratio().toFixed(3)}; medians ${mib(median(mount))} of ` +
      `${mib(median(source))} MiB/s, ${(median(mount) / median(source)).toFixed(3)}; GETXATTR ${came('GETXATTR')}`
    process.stdout.write(`${figures}\n`)
    expect(came('READ')).toBe(0)
    expect(came('WRITE')).toBe(0)
    // The kernel asks once for file capabilities after each refresh of the attributes, at an open: not for each write.
    expect(came('GETXATTR')).toBeLessThanOrEqual(2 * mount.length)
    expect(ratio(), figures).toBeGreaterThanOrEqual(job.least)
  })
})
