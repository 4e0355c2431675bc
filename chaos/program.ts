import { chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { guardMount } from '../bench/guard.js'
import { chaos, prepare } from './chaos.js'
import { ChaosMount } from './mount/chaos-mount.js'
import { readOptions, USAGE, type Options } from './options.js'
import { prepareSoak, soak } from './soak/soak.js'
import { summary } from './summary.js'

/** After the time for programs: their last cycles, and the checks at the end. */
const FINISH_S = 900
/** Most time for one kill of a soak, in the mean. */
const KILL_S = 3

const tell = (text: string): void => void process.stderr.write(`${text}\n`)

/** Runs what the arguments ask for; the exit status: 0, 1 where something is wrong, 2 for wrong use. */
export async function program(args: readonly string[]): Promise<number> {
  let options: Options | undefined
  try {
    options = readOptions(args)
    if (process.getuid?.() !== 0)
      throw new Error('it mounts, and runs programs as other users: run it as root')
  } catch (error) {
    tell(`${messageOf(error)}\n${USAGE}`)
    return 2
  }
  if (options === undefined) {
    process.stdout.write(`${USAGE}\n`)
    return 0
  }
  const workspace = makeWorkspace()
  tell(`seed ${options.seed}, in ${workspace}`)
  let isGood = false
  try {
    isGood = await inWorkspace(workspace, options)
  } catch (error) {
    tell(messageOf(error))
  }
  if (isGood) rmSync(workspace, { recursive: true, force: true })
  else tell(`left for inspection: ${workspace}`)
  return isGood ? 0 : 1
}

/** Other users may enter it. */
function makeWorkspace(): string {
  const workspace = realpathSync(mkdtempSync(join(tmpdir(), 'evermount-chaos-')))
  chmodSync(workspace, 0o755)
  for (const name of ['source', 'mount', 'run', 'scratch']) mkdirSync(join(workspace, name))
  return workspace
}

async function inWorkspace(workspace: string, options: Options): Promise<boolean> {
  return options.soak === undefined
    ? await runPrograms(workspace, options)
    : await runSoak(workspace, options, options.soak)
}

async function runPrograms(workspace: string, options: Options): Promise<boolean> {
  const workers = await prepare(workspace, options)
  const { result, problems } = await onMount(workspace, options, options.seconds + FINISH_S, (mount) =>
    chaos(mount, workers, options, tell),
  )
  if (result.kills.server < options.leastKills) {
    problems.push(`the server was killed ${result.kills.server} times only, and not ${options.leastKills}`)
  }
  for (const problem of problems) tell(problem)
  say(options, result, summary(result))
  const failed = result.programs.some(({ errors }) => errors > 0)
  return !failed && problems.length === 0 && result.dataErrors === 0 && result.leakedBackingIds === 0
}

async function runSoak(workspace: string, options: Options, kills: number): Promise<boolean> {
  prepareSoak(join(workspace, 'source'))
  const result = await onMount(workspace, options, kills * KILL_S + FINISH_S, (mount) =>
    soak(mount, kills, options, tell),
  )
  const { seconds, coldKills, operations, notFlat } = result
  for (const problem of notFlat) tell(problem)
  const verdict = notFlat.length === 0 ? 'flat, nothing left behind' : 'NOT FLAT'
  say(options, result, [
    `${kills} kills (${coldKills} without a standby) in ${seconds} s, ${operations} calls, none failed: ${verdict}`,
  ])
  return notFlat.length === 0
}

/** Mounts, does something, and unmounts; a guard outside ends what comes to no end. */
async function onMount<T>(
  workspace: string,
  { strategy }: Options,
  seconds: number,
  action: (mount: ChaosMount) => Promise<T>,
): Promise<T> {
  const callOff = guardMount(join(workspace, 'mount'), seconds)
  const mount = await ChaosMount.start(workspace, ['--strategy', strategy])
  try {
    const result = await action(mount)
    await mount.end()
    return result
  } catch (error) {
    mount.abort()
    throw error
  } finally {
    callOff()
  }
}

function say({ json }: Options, result: object, lines: readonly string[]): void {
  process.stdout.write(json ? `${JSON.stringify(result)}\n` : `${lines.join('\n')}\n`)
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
