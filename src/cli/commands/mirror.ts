import { realpath, stat } from 'node:fs/promises'
import { InvalidArgumentError, Option, type Command } from 'commander'
import { errnoNumber, FuseError } from '../../errors/index.js'
import type { MirrorOptions } from '../../filesystems/mirror/index.js'
import { checkMountPoint, parseMountOptions, type MountOptions } from '../../mount/index.js'
import type { KernelCapabilities } from '../../passthrough/capabilities.js'
import { probe } from '../../passthrough/probe.js'
import { endDead } from '../../recovery/dead-mount.js'
import { launch } from '../../recovery/launch.js'
import { HELD_DIRECTORY, HELD_WATCH } from '../../recovery/messages.js'
import { POLL_IDLE_CHOICES, processorSleep, type PollIdle } from '../../recovery/processor-sleep.js'
import type { MountRequest } from '../../recovery/mount-daemon.js'
import { wantedCapabilities } from '../../session/wanted.js'
import { runInForeground } from '../foreground.js'
import { resolveMountPoint } from '../mounts.js'
import { answer, remark, type OutputOptions } from '../output.js'
import { stackDepthFor } from '../stack-depth.js'
import { defaults, timeoutsFor } from '../cache-timeouts.js'
import { pickStrategy, STRATEGY_CHOICES, type StrategyChoice } from '../strategy-choice.js'

/** Loaded by each server process. */
const MIRROR_MODULE = new URL('../../filesystems/mirror/index.js', import.meta.url).href

interface MirrorFlags extends OutputOptions {
  readonly foreground?: boolean
  readonly readOnly?: boolean
  readonly passthrough: boolean
  readonly allowOther?: boolean
  readonly watch?: boolean
  readonly writebackCache?: boolean
  readonly entryTimeout?: number
  readonly attrTimeout?: number
  readonly negativeTimeout?: number
  readonly maxStackDepth?: '1' | '2'
  readonly strategy: StrategyChoice
  readonly pollIdle: PollIdle
  readonly stuckAfter?: number
  readonly option: readonly string[]
}

export function addMirror(program: Command): void {
  program
    .command('mirror')
    .description('mount a directory; the mount outlives the process that serves it')
    .argument('<source>', 'directory to show')
    .argument('<mountpoint>', 'empty directory to show it at')
    .option('-f, --foreground', 'stay in the foreground; Ctrl-C unmounts')
    .option('--read-only', 'nothing can be changed through the mount')
    .option('--no-passthrough', 'let reads and writes go through the server')
    .option('--allow-other', 'let other users in (default for root)')
    .option('--no-allow-other', 'only for the mounting user (default for other users)')
    .option(
      '--watch',
      'tell the kernel what changes in the source beside the mount, so that it may rely on the rest',
    )
    .addOption(
      new Option(
        '--writeback-cache',
        'let the kernel keep what is written for a while, where nobody else changes the files of the source ' +
          '(implies --no-passthrough)',
      )
        .implies({ passthrough: false })
        .conflicts('watch'),
    )
    .option(
      '--entry-timeout <seconds>',
      `how long the kernel may rely on a name ${defaults('entry')}`,
      seconds,
    )
    .option('--attr-timeout <seconds>', `... on attributes ${defaults('attributes')}`, seconds)
    .option('--negative-timeout <seconds>', `... on a name being absent ${defaults('negative')}`, seconds)
    .addOption(
      new Option(
        '--max-stack-depth <layers>',
        'file systems that may lie below a file: 2 for a source on overlayfs, 1 leaves room for an overlayfs above ' +
          '(default: what the source needs)',
      ).choices(['1', '2']),
    )
    .addOption(
      new Option('--strategy <name>', 'how a successor keeps files open (default: what the kernel does best)')
        .choices(STRATEGY_CHOICES)
        .default('auto', 'auto'),
    )
    .addOption(
      new Option(
        '--poll-idle <when>',
        'as root, keep idle processors from sleeping while requests come without pause ' +
          '(default: in a virtual machine with up to 4 processors that it halts)',
      )
        .choices(POLL_IDLE_CHOICES)
        .default('auto', 'auto'),
    )
    .option('--stuck-after <seconds>', 'replace a server that shows no sign of life for so long', positive)
    .option(
      '-o, --option <options>',
      'mount options as for mount(8), comma separated; repeatable',
      collect,
      [],
    )
    .option('--json', 'answer with one JSON document')
    .action(mirror)
}

async function mirror(source: string, mountPoint: string, flags: MirrorFlags): Promise<void> {
  const { allowOther, readOnly } = flags
  const mountOptions: MountOptions = {
    allowOther: isRoot(),
    ...parseMountOptions(...flags.option),
    // Also for a plain user: only so does the kernel heed POSIX ACLs. The server acts as that very user, so that
    // the source has the last word in any case.
    defaultPermissions: true,
    ...(allowOther === undefined ? {} : { allowOther }),
    ...(readOnly === true ? { readOnly } : {}),
  }
  const directory = await sourceDirectory(source)
  // What died there earlier is in nobody's way.
  await endDead(await resolveMountPoint(mountPoint))
  const checked = await checkMountPoint(mountPoint, {
    source: directory,
    ...(mountOptions.nonempty === undefined ? {} : { nonempty: mountOptions.nonempty }),
    ...(mountOptions.subtype === undefined ? {} : { subtype: mountOptions.subtype }),
  })
  const capabilities = await probe()
  const request = mountRequest(directory, checked.path, mountOptions, flags, capabilities)
  warn(request, flags)
  if (flags.foreground === true) await runInForeground(request, flags)
  else report(request, await launch(request), flags)
}

function mountRequest(
  source: string,
  mountPoint: string,
  mountOptions: MountOptions,
  flags: MirrorFlags,
  capabilities: KernelCapabilities,
): MountRequest {
  const strategy = pickStrategy(flags.strategy, capabilities)
  const passthrough = flags.passthrough && capabilities.passthrough
  const watch = flags.watch === true
  const writebackCache = flags.writebackCache === true
  const timeouts = timeoutsFor(flags, capabilities)
  const options: MirrorOptions = {
    source: HELD_DIRECTORY,
    readOnly: mountOptions.readOnly === true,
    passthrough,
    writebackCache,
    entryTimeout: timeouts.entry,
    attributeTimeout: timeouts.attributes,
    negativeTimeout: timeouts.negative,
    watch: watch ? HELD_WATCH : undefined,
    actAsCaller: isRoot(),
  }
  return {
    mountPoint,
    description: `mirror of ${source}`,
    directory: source,
    watch,
    mountOptions,
    settings: {
      fileSystem: { module: MIRROR_MODULE, options },
      wanted: wantedCapabilities({
        passthrough,
        writebackCache,
        maxStackDepth: flags.maxStackDepth === undefined ? stackDepthFor(source) : depth(flags.maxStackDepth),
        defaultPermissions: true,
        readdirplus: timeouts.entry > 0,
      }),
      timeouts: { entry: timeouts.entry, attributes: timeouts.attributes },
      strategy: strategy.name,
      pollIdle: flags.pollIdle,
    },
    capabilities,
    ...(flags.stuckAfter === undefined ? {} : { stuckAfterMs: flags.stuckAfter * 1000 }),
  }
}

function report(request: MountRequest, supervisorPid: number, flags: MirrorFlags): void {
  const { mountPoint, description, settings, capabilities } = request
  const value = {
    mountPoint,
    description,
    supervisorPid,
    strategy: settings.strategy,
    passthrough: settings.wanted.maxStackDepth !== undefined,
    passthroughProblem: capabilities.passthroughProblem ?? null,
  }
  answer(flags, value, [`${mountPoint}: ${description}, supervisor ${supervisorPid}`])
}

function warn({ capabilities }: MountRequest, flags: MirrorFlags): void {
  if (flags.passthrough && !capabilities.passthrough) {
    remark(
      `no passthrough, reads and writes go through the server (${capabilities.passthroughProblem ?? ''})`,
    )
  }
  if (flags.pollIdle === 'always') {
    const sleep = processorSleep('always')
    if (sleep === undefined)
      remark('processors sleep as they like: /dev/cpu_dma_latency cannot be written to')
    sleep?.close()
  }
  if (!capabilities.resend) {
    remark('this kernel cannot resend requests (Linux 6.9+): calls under way when the server dies do not end')
  }
}

async function sourceDirectory(source: string): Promise<string> {
  try {
    const path = await realpath(source)
    if ((await stat(path)).isDirectory()) return path
  } catch (error) {
    const errno = errnoNumber((error as NodeJS.ErrnoException).code ?? '') ?? 5
    const remedy = { remedy: 'Name a directory that exists and that you may read.', cause: error }
    throw new FuseError('ERR_SYSCALL', { syscall: 'source', errno, path: source }, remedy)
  }
  const context = { syscall: 'source', errno: errnoNumber('ENOTDIR') ?? 20, path: source }
  throw new FuseError('ERR_SYSCALL', context, { remedy: 'Name a directory: single files are not mirrored.' })
}

function isRoot(): boolean {
  return process.geteuid?.() === 0
}

function depth(choice: '1' | '2'): 1 | 2 {
  return choice === '1' ? 1 : 2
}

function collect(value: string, previous: readonly string[]): string[] {
  return [...previous, value]
}

function seconds(value: string): number {
  const number = Number(value)
  if (value.trim() === '' || !Number.isFinite(number) || number < 0) {
    throw new InvalidArgumentError('A number of seconds from 0 on is expected.')
  }
  return number
}

function positive(value: string): number {
  const number = seconds(value)
  if (number < 1) throw new InvalidArgumentError('A number of seconds from 1 on is expected.')
  return number
}
