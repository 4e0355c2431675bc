import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { Dice } from '../kills/dice.js'
import type { ChaosMount } from '../mount/chaos-mount.js'
import type { Options } from '../options.js'
import { takeSample, type Sample } from './sample.js'
import { growth } from './verdict.js'
import { Worker } from './worker.js'

/** The last line of `npm run chaos -- --soak N --json`. */
export interface SoakResult {
  readonly seconds: number
  readonly kills: number
  /** Of these, kills that came while no standby was ready. */
  readonly coldKills: number
  readonly operations: number
  readonly samples: { readonly first: Sample; readonly middle: Sample; readonly last: Sample }
  /** What has grown or was left behind, in words. */
  readonly notFlat: readonly string[]
}

const FILES = 2_000
/** Beside the one before the first kill; between two there are some kills at least. */
const SAMPLES = 20
const LEAST_BETWEEN = 5
/** Between the beginning of a life and its end (ms). */
const SOONEST_MS = 10
const LATEST_MS = 400

/** In the source, before there is a mount. */
export function prepareSoak(source: string): void {
  const folder = join(source, 'static')
  mkdirSync(folder)
  for (let n = 0; n < FILES; n++) writeFileSync(join(folder, String(n)), `file ${n}`)
}

/** Kills the server of one mount again and again while a client works on it, and looks at what stays behind. */
export async function soak(
  mount: ChaosMount,
  kills: number,
  { seed }: Options,
  tell: (text: string) => void,
): Promise<SoakResult> {
  const dice = new Dice(seed)
  const began = performance.now()
  const worker = new Worker(mount.mountPoint, FILES)
  const samples: Sample[] = []
  const sample = async (after: number): Promise<void> => {
    await worker.rest()
    samples.push(await takeSample(mount, after))
    tell(describe(samples.at(-1)!))
    worker.work()
  }
  let coldKills = 0
  try {
    await sample(0)
    const every = Math.max(LEAST_BETWEEN, Math.floor(kills / SAMPLES))
    let lives = (await mount.ready()).lives
    for (let kill = 1; kill <= kills; kill++) {
      await delay(dice.between(SOONEST_MS, LATEST_MS))
      worker.check()
      const status = await mount.until('a server', ({ pids }) => pids.server !== null)
      if (!status.standbyReady) coldKills++
      process.kill(status.pids.server!, 'SIGKILL')
      lives = (await mount.until('the next life', (seen) => seen.lives > lives)).lives
      if (kill % every === 0) await sample(kill)
    }
    if (samples.at(-1)!.kills < kills) await sample(kills)
  } finally {
    worker.end()
  }
  const middle = samples[Math.floor((samples.length - 1) / 2)]!
  return {
    seconds: Math.round((performance.now() - began) / 100) / 10,
    kills,
    coldKills,
    operations: worker.operations,
    samples: { first: samples[0]!, middle, last: samples.at(-1)! },
    notFlat: [...growth(samples), ...mount.complaints()],
  }
}

function describe(sample: Sample): string {
  const mebibytes = (bytes: number): string => (bytes / 2 ** 20).toFixed(1)
  return (
    `after ${sample.kills} kills: supervisor ${mebibytes(sample.supervisorRssBytes)} MiB, ` +
    `${sample.supervisorDescriptors} descriptors, server ${sample.serverDescriptors} descriptors, ` +
    `journal ${mebibytes(sample.journalBytes)} MiB, ${sample.nodesAtWork} nodes at work; at rest ` +
    `${sample.nodesAtRest} nodes, ${sample.keptDescriptors} kept descriptors, ${sample.leakedBackingIds} backing ids`
  )
}
