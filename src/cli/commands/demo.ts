import { realpathSync, statSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { InvalidArgumentError, Option, type Command } from 'commander'
import { inWords } from '../../drill/blackouts.js'
import { runDrill, type DrillProgress, type DrillResult } from '../../drill/drill.js'
import type { DrillGround } from '../../drill/ground.js'
import { kernelGround } from '../../drill/kernel-ground.js'
import { modelGround } from '../../drill/model-ground.js'
import { FuseError, isFuseError } from '../../errors/index.js'
import { profiles, type ProfileName } from '../../kernel-model/index.js'
import { probe } from '../../passthrough/probe.js'
import { ExitStatus } from '../exit-status.js'
import { complain, remark, table } from '../output.js'

/** The tree that this program is part of. */
const OWN_TREE = fileURLToPath(new URL('../../..', import.meta.url))

const MODELS = Object.keys(profiles).map((name) => `model:${name}`)
/** Where the machine's own kernel cannot be used; it shows all three ways out of the restart trap. */
const FALLBACK_MODEL: ProfileName = 'inode-cache'

interface DemoFlags {
  readonly kernel?: string
  readonly kills: number
  readonly inodes: number
  readonly json?: boolean
}

export function addDemo(program: Command): void {
  program
    .command('demo')
    .description('kill the server of a mount while clients work on it, and show what they see')
    .argument('[directory]', 'directory to mount a copy of (default: the tree of this program)')
    .addOption(
      new Option(
        '--kernel <which>',
        "where it takes place (default: this machine's kernel, or a model where that has no passthrough for us)",
      ).choices(['real', ...MODELS]),
    )
    .option('--kills <number>', 'how often to kill the server', whole, 10)
    .option('--inodes <number>', 'files that the kernel gets to know beforehand', whole, 0)
    .option('--json', 'last line: one JSON object with what was measured')
    .action(demo)
}

async function demo(directory: string | undefined, flags: DemoFlags): Promise<void> {
  const ground = await chooseGround(flags.kernel)
  if (ground === undefined) return
  const progress = new ProgressLine(flags.kills)
  const interrupt = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      interrupt.abort()
    })
  }
  const result = await runDrill({
    signal: interrupt.signal,
    directory: existingDirectory(directory ?? OWN_TREE),
    kills: flags.kills,
    inodes: flags.inodes,
    ground,
    onStep: (text) => {
      progress.end()
      process.stderr.write(`${text}\n`)
    },
    onProgress: (seen) => {
      progress.show(seen)
    },
  })
  progress.end()
  process.stderr.write(`${summary(result).join('\n')}\n`)
  if (flags.json === true) {
    process.stdout.write(`${JSON.stringify(figuresOf(result))}\n`)
  }
  if (!isGood(result)) process.exitCode = ExitStatus.failure
}

function existingDirectory(path: string): string {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory() === true) return realpathSync(path)
  const remedy = 'Name a directory that exists; the drill works on a copy of it.'
  throw new FuseError('ERR_USAGE', { problem: `${path} is not a directory` }, { remedy })
}

/** undefined: said already that this machine cannot run the drill as it was asked for. */
async function chooseGround(kernel: string | undefined): Promise<DrillGround | undefined> {
  if (kernel?.startsWith('model:') === true) return onModel(kernel.slice('model:'.length) as ProfileName)
  const problem = await realKernel()
  if (typeof problem === 'object') return problem
  if (kernel === undefined) {
    remark(`no passthrough on this machine: ${problem}`, 'evermount doctor shows what is missing')
    return onModel(FALLBACK_MODEL)
  }
  remark(
    `the drill needs passthrough, and there is none: ${problem}`,
    'evermount doctor shows what is missing',
  )
  process.exitCode = ExitStatus.unable
  return undefined
}

/** This machine's kernel, or why it will not do. */
async function realKernel(): Promise<DrillGround | string> {
  try {
    const capabilities = await probe()
    if (capabilities.passthrough) return kernelGround(capabilities)
    return capabilities.passthroughProblem ?? 'no reason known'
  } catch (error) {
    if (!isFuseError(error)) throw error
    complain(error)
    return error.message
  }
}

function onModel(name: ProfileName): DrillGround {
  process.stderr.write(
    `the drill runs on a model of the kernel, ${name}: nothing is mounted on this machine\n`,
  )
  return modelGround(name)
}

function isGood(result: DrillResult): boolean {
  return (
    result.clientErrors === 0 &&
    result.dataErrors === 0 &&
    result.journalReopen === 'ok' &&
    result.inodeCacheReopen !== 'EIO' &&
    result.leakedBackingIds === 0 &&
    result.leftMounted === 0
  )
}

/** The machine-readable line: its fields and their order are part of the command's interface. */
function figuresOf(result: DrillResult): Omit<DrillResult, 'clients' | 'killsWithoutStandby'> {
  const { kernel, strategy, kills, knownInodes, clientCalls, clientErrors, dataErrors, blackoutMs } = result
  const { naiveReopen, journalReopen, inodeCacheReopen, leakedBackingIds, leftMounted } = result
  const drilled = { kernel, strategy, kills, knownInodes, clientCalls, clientErrors, dataErrors, blackoutMs }
  const { longestCallMs } = result
  const reopened = { naiveReopen, journalReopen, inodeCacheReopen }
  return { ...drilled, longestCallMs, ...reopened, leakedBackingIds, leftMounted }
}

function summary(result: DrillResult): string[] {
  const { blackoutMs, longestCallMs } = result
  const rows = result.clients.map(({ kind, calls, errors, dataErrors }) => {
    const failed = Object.entries(errors).map(([code, count]) => `${code} × ${count}`)
    return [`  ${kind}`, `${calls} calls`, failed.join(', ') || 'none failed', `${dataErrors} data errors`]
  })
  return [
    `${result.kernel.startsWith('model:') ? '' : 'Linux '}${result.kernel}, strategy ${result.strategy}: ${result.kills} kills (SIGKILL), ${result.knownInodes} known inodes`,
    ...table(rows),
    `longest call that waited for a successor: ${inWords(blackoutMs)}`,
    `longest call from a kill to the next:     ${inWords(longestCallMs)}`,
    `a file held open over a restart, opened again: registered afresh ${result.naiveReopen}, ` +
      `by the journal ${result.journalReopen}, by the kernel's flag ${result.inodeCacheReopen}`,
    `backing ids left behind: ${result.leakedBackingIds}; mounts left behind: ${result.leftMounted}`,
  ]
}

/** One line that changes on a terminal; elsewhere nothing but the steps. */
class ProgressLine {
  readonly #kills: number
  #shown = false

  constructor(kills: number) {
    this.#kills = kills
  }

  show({ kills, calls, errors, clients }: DrillProgress): void {
    if (!process.stderr.isTTY) return
    const each = clients.map((client) => `${client.kind} ${client.calls}`).join('  ')
    process.stderr.write(`\r\x1b[K  kill ${kills}/${this.#kills}  ${each}  calls ${calls}  failed ${errors}`)
    this.#shown = true
  }

  end(): void {
    if (this.#shown) process.stderr.write('\n')
    this.#shown = false
  }
}

function whole(value: string): number {
  const number = Number(value)
  if (!Number.isInteger(number) || number < 1)
    throw new InvalidArgumentError('A whole number from 1 on is expected.')
  return number
}
