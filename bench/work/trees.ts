import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { run, shell, type CommandOptions } from '../command.js'
import { connectionsAt } from '../mount-table.js'
import { root } from '../programs.js'
import type { Sample } from '../results.js'
import type { Settings } from '../settings.js'
import { client } from './client.js'
import { SERVERS_ALIKE, type Group, type Subject, type Work } from './work.js'

export const TOOLS = 'tools, cached'
const WATCHED = 'tools, cached, source watched'
/** What is done once more where a source is watched. */
const WATCHED_TOOLS = ['git status', 'find with stat', 'tar', 'cp -r']

/** No settings of the user take part. */
const ENVIRONMENT = {
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_CONFIG_NOSYSTEM: '1',
  LC_ALL: 'C',
}
const DEADLINE = 300_000

/**
 * What a tool of every day does to a tree. `$D` is the row's directory, `$ORIGIN` a bare repository elsewhere, `$N` another
 * number in each run: what one makes takes no name of before, so that nothing has to be removed. Where ext4 has just removed
 * inodes, making files takes ten times as long (fs/ext4/ialloc.c, recently_deleted), whoever does it.
 */
interface Tool {
  readonly name: string
  /** Before the run, not measured. */
  readonly before?: string
  readonly script: string
  /** Takes seconds: its warm runs follow other runs of it, without one more before each. What it made is forgotten first. */
  readonly heavy?: boolean
}

const WORKS: readonly Tool[] = [
  { name: 'git clone', script: 'git clone -q $ORIGIN $D/clone$N' },
  { name: 'git status', script: 'git -C $D/tree status > /dev/null' },
  { name: 'find with stat', script: "find $D/tree -printf '%s' > /dev/null" },
  { name: 'tar', script: 'tar -C $D -cf - tree | cat > /dev/null' },
  { name: 'cp -r', script: 'cp -r $D/tree $D/copy$N' },
  {
    name: 'npm ci',
    before: 'mkdir $D/project$N; cp $D/project/* $D/project$N',
    script: 'cd $D/project$N; npm ci --offline --no-audit --no-fund --cache $NPM_CACHE > /dev/null',
    heavy: true,
  },
  { name: 'rm -rf', before: 'cp -r $D/tree $D/doomed$N', script: 'rm -rf $D/doomed$N' },
]

/** How long the kernel leaves alone what has just been dropped from its caches: FORGETs are still being carried out. */
const SETTLE_MS = 300

/**
 * The tools of every day, with caches that work. Cold: pages, names and inodes of every file system have been dropped
 * just before. Warm: the same has just been done.
 */
export function trees(settings: Settings): Group {
  const group = toolGroup(settings, WORKS)
  return { ...group, works: [...group.works, ...smallFiles(settings)] }
}

/**
 * A watch is told of every change in the file system that the sources of all rows are on, and whoever makes one waits until
 * that is written down. So the row that watches, and those that it is compared with, are not among the others.
 */
export function watched(settings: Settings): Group {
  const tools = WORKS.filter(({ name }) => WATCHED_TOOLS.includes(name)).map((tool) => ({
    ...tool,
    name: `${tool.name}, source watched`,
  }))
  const rows = ['source', 'evermount', 'evermount, watch', 'bindfs'] as const
  return { ...toolGroup(settings, tools), name: WATCHED, rows }
}

function toolGroup(settings: Settings, tools: readonly Tool[]): Group {
  const folder = { origin: '', cache: '' }
  let runs = 0
  const environment = (directory: string, run: number): NodeJS.ProcessEnv => ({
    ...ENVIRONMENT,
    D: directory,
    N: String(run),
    ORIGIN: folder.origin,
    NPM_CACHE: folder.cache,
  })
  const sh = async (script: string, { directory }: Subject, run = 0): Promise<string> => {
    const options: CommandOptions = { env: environment(directory, run), deadline: DEADLINE }
    return (await shell(script, [], options)).stdout
  }
  // By the shell's own clock: its start is no part of what the tool takes.
  const timed = async (script: string, subject: Subject, run: number): Promise<number> => {
    const clocked = `began=$EPOCHREALTIME; ${script}; echo $began $EPOCHREALTIME`
    const said = (await sh(clocked, subject, run)).trim().split('\n').at(-1)!
    const [began, ended] = said.split(' ').map(Number)
    const seconds = ended! - began!
    // The clock can be set, and the last line be the tool's.
    if (!(seconds >= 0)) throw new Error(`${script}: no time in ${said}`)
    return seconds
  }
  const prepared = async (tool: Tool, subject: Subject): Promise<number> => {
    const run = ++runs
    if (tool.heavy === true) await forgetAll(subject)
    if (tool.before !== undefined) await sh(tool.before, subject, run)
    return run
  }
  const works = tools.flatMap((tool): Work[] => {
    const state = (isCold: boolean): Work => ({
      name: `${tool.name}, ${isCold ? 'cold' : 'warm'}`,
      unit: 's',
      heavy: tool.heavy === true,
      measure: async (subject): Promise<Sample> => {
        if (!isCold && tool.heavy !== true) await sh(tool.script, subject, await prepared(tool, subject))
        const run = await prepared(tool, subject)
        if (isCold) await dropCaches()
        return { value: await timed(tool.script, subject, run) }
      },
    })
    return [state(true), state(false)]
  })
  return {
    name: TOOLS,
    rows: SERVERS_ALIKE,
    timeout: settings.cacheTimeout,
    shared: false,
    inMemory: false,
    rehearses: false,
    works,
    prepare: async (source, wanted) => {
      const wants = (name: string): boolean => wanted.some((work) => work.name.includes(name))
      if (wants('small files')) {
        await client(['prepare', join(source, 'small'), String(settings.smallFiles), '2048', '0'])
      }
      await shared(folder, source, wants('npm ci'))
      await run('git', ['clone', '-q', folder.origin, join(source, 'tree')], { env: ENVIRONMENT })
      const copy = 'mkdir "$1/project"; cp package.json package-lock.json "$1/project"'
      await shell(copy, [source], { directory: root })
    },
    // git notes what it has seen of each file: as a user's tree is in which git status has been called before.
    warmUp: async (subject) => {
      await sh('sleep 1.1; git -C $D/tree status > /dev/null', subject)
    },
  }
}

/** Made once, for all rows: the repository to clone from and npm's packages. */
async function shared(
  folder: { origin: string; cache: string },
  source: string,
  withPackages: boolean,
): Promise<void> {
  if (folder.origin !== '') return
  const place = join(source, '../../shared')
  mkdirSync(place, { recursive: true })
  folder.origin = join(place, 'origin.git')
  folder.cache = join(place, 'npm')
  await run('git', ['clone', '-q', '--bare', root, folder.origin], { env: ENVIRONMENT })
  if (!withPackages) return
  const project = join(place, 'project')
  const fill =
    'mkdir "$1"; cp package.json package-lock.json "$1"; cd "$1"; npm ci --no-audit --no-fund --cache "$2"'
  await shell(fill, [project, folder.cache], { directory: root, deadline: DEADLINE })
}

/** Many small files, one after the other: with passthrough each costs a registration, and saves little copying. */
function smallFiles({ smallFiles: count }: Settings): Work[] {
  const read = ({ directory }: Subject): Promise<{ operations: number; seconds: number }> =>
    client(['read-all', join(directory, 'small'), String(count)])
  return [true, false].map((isCold) => ({
    name: `${count} small files read, ${isCold ? 'cold' : 'warm'}`,
    unit: 's',
    measure: async (subject) => {
      if (isCold) await dropCaches()
      else await read(subject)
      return { value: (await read(subject)).seconds }
    },
  }))
}

/**
 * Lets the kernel forget the names and inodes of one mount, as each remount does (fs/super.c, reconfigure_super): the
 * ceiling holds a descriptor for each, and a few runs of `npm ci` make more than a process may have. npm then tries
 * again without end.
 */
async function forgetAll({ directory }: Subject): Promise<void> {
  if (connectionsAt(directory).length === 0) return
  await run('mount', ['--internal-only', '-o', 'remount', directory], { deadline: DEADLINE })
}

async function dropCaches(): Promise<void> {
  await shell('sync; echo 3 > /proc/sys/vm/drop_caches', [], { deadline: DEADLINE })
  await delay(SETTLE_MS)
}
