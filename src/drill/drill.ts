import { cpSync, mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { strategies } from '../passthrough/strategy.js'
import { blackoutOfEach, quantiles, type Blackouts, type Kill } from './blackouts.js'
import type { ClientKind, ClientReport } from './client.js'
import type { DrilledMount, DrillGround, RunningClient } from './ground.js'
import { makeFiles } from './known-inodes.js'
import { monotonicTime } from '../recovery/monotonic-time.js'
import type { LongestCall } from './longest-calls.js'
import { reopenAfterKill } from './trap.js'

export interface DrillOptions {
  /** Copied to a temporary source; the original is only read. */
  readonly directory: string
  readonly kills: number
  /** Files that the kernel gets to know before the first kill, beside those of the directory. */
  readonly inodes: number
  readonly ground: DrillGround
  /** Ends the drill early: everything is unmounted and removed, and the promise rejects. */
  readonly signal?: AbortSignal
  readonly onProgress?: (progress: DrillProgress) => void
  readonly onStep?: (text: string) => void
}

export interface DrillProgress {
  readonly kills: number
  readonly calls: number
  readonly errors: number
  readonly clients: readonly { readonly kind: ClientKind; readonly calls: number; readonly errors: number }[]
}

/** What the drill measured. */
export interface DrillResult {
  readonly kernel: string
  readonly strategy: string
  readonly kills: number
  /** Kills that came while no standby was ready: not part of the blackout figures. */
  readonly killsWithoutStandby: number
  /** Inodes that the server knew after the last kill. */
  readonly knownInodes: number
  readonly clientCalls: number
  readonly clientErrors: number
  readonly dataErrors: number
  /** Per kill, the longest call of a client that calls stat without pause, begun before the successor served (ms). */
  readonly blackoutMs: Blackouts
  /** The same until the next kill: with what the start of the next standby, and anything else, takes from a client. */
  readonly longestCallMs: Blackouts
  readonly naiveReopen: string
  readonly journalReopen: string
  readonly inodeCacheReopen: string
  readonly leakedBackingIds: number
  readonly leftMounted: number
  readonly clients: readonly ClientReport[]
}

const KINDS: readonly ClientKind[] = ['stat', 'read', 'write', 'append', 'open', 'hold']
const CLIENT_STOP_MS = 20_000

/**
 * Mounts a copy of a directory, lets clients work on it, kills the server again and again, and reports what the
 * clients saw.
 */
export async function runDrill(options: DrillOptions): Promise<DrillResult> {
  const workspace = realpathSync(mkdtempSync(join(tmpdir(), 'evermount-demo-')))
  const source = join(workspace, 'source')
  const mountPoint = join(workspace, 'mount')
  const step = options.onStep ?? (() => undefined)
  try {
    step(`copying ${options.directory}`)
    copyTree(options.directory, source)
    mkdirSync(mountPoint)
    const { ground, inodes, signal } = options
    if (inodes > 0) makeFiles(source, inodes)
    step(`mounting it on ${mountPoint}, strategy: ${ground.strategy.name}`)
    const mount = await ground.mount(source, mountPoint, ground.strategy)
    const { drilled, leakedBackingIds } = await drillAndUnmount(mount, options)

    step('the restart trap: a file is held open while its server dies, then opened again')
    const naiveReopen = await reopenAfterKill(ground, workspace, strategies.inodeCompare)
    step(`  a server that registers the file afresh: ${naiveReopen}`)
    signal?.throwIfAborted()
    const journalReopen = await reopenAfterKill(ground, workspace, strategies.journal)
    step(`  a server that remembers the backing id:  ${journalReopen}`)
    const inodeCacheReopen = ground.inodeCache
      ? await reopenAfterKill(ground, workspace, strategies.inodeCache)
      : 'unsupported'
    step(`  with FOPEN_PASSTHROUGH_INODE_CACHE:      ${inodeCacheReopen}`)
    const leftMounted = ground.mountedBelow(workspace)
    return {
      kernel: ground.kernel,
      strategy: ground.strategy.name,
      ...drilled,
      naiveReopen,
      journalReopen,
      inodeCacheReopen,
      leakedBackingIds,
      leftMounted,
    }
  } finally {
    // A mount point that could not be unmounted is left alone.
    if (options.ground.mountedBelow(workspace) === 0) rmSync(workspace, { recursive: true, force: true })
  }
}

async function drillAndUnmount(
  mount: DrilledMount,
  options: DrillOptions,
): Promise<{ drilled: Drilled; leakedBackingIds: number }> {
  try {
    if (options.inodes > 0) {
      options.onStep?.(`looking ${options.inodes} files up`)
      await mount.lookUpFiles()
    }
    const drilled = await drillMount(mount, options)
    return { drilled, leakedBackingIds: await mount.audit() }
  } finally {
    await mount.unmount()
  }
}

type Drilled = Pick<
  DrillResult,
  | 'kills'
  | 'killsWithoutStandby'
  | 'knownInodes'
  | 'clientCalls'
  | 'clientErrors'
  | 'dataErrors'
  | 'blackoutMs'
  | 'longestCallMs'
  | 'clients'
>

interface DrilledKill extends Kill {
  /** A standby was there. */
  readonly ready: boolean
}

async function drillMount(mount: DrilledMount, options: DrillOptions): Promise<Drilled> {
  const clients = KINDS.map((kind) => mount.startClient(kind))
  const progress = (kills: number): void => {
    const seen = clients.map(({ kind, calls, kindsOfError }) => ({
      kind,
      calls,
      errors: kindsOfError,
    }))
    const sum = (pick: (client: (typeof seen)[number]) => number): number =>
      seen.reduce((total, client) => total + pick(client), 0)
    options.onProgress?.({ kills, calls: sum((c) => c.calls), errors: sum((c) => c.errors), clients: seen })
  }
  try {
    await Promise.all(clients.map((client) => client.started))
    await delay(200)
    const kills: DrilledKill[] = []
    for (let kill = 0; kill < options.kills; kill++) {
      options.signal?.throwIfAborted()
      const ready = await mount.standbyReady(15_000)
      // Not in step with anything the clients do.
      await delay(20 + Math.random() * 60)
      const at = monotonicTime()
      await mount.killServer()
      kills.push({ at, served: monotonicTime(), ready })
      await delay(60)
      progress(kills.length)
    }
    await mount.standbyReady(15_000)
    await delay(200)
    progress(kills.length)
    const knownInodes = await mount.knownInodes()
    const reports = await finish(mount, clients)
    const longest = reports.find((report) => report.kind === 'stat')?.longest ?? []
    const failed = reports.flatMap((report) => Object.values(report.errors))
    return {
      kills: kills.length,
      killsWithoutStandby: kills.filter(({ ready }) => !ready).length,
      knownInodes,
      clientCalls: reports.reduce((total, report) => total + report.calls, 0),
      clientErrors: failed.reduce((total, count) => total + count, 0),
      dataErrors: reports.reduce((total, report) => total + report.dataErrors, 0),
      blackoutMs: withStandby(kills, longest),
      longestCallMs: withStandby(
        kills.map(({ at, ready }) => ({ at, ready })),
        longest,
      ),
      clients: reports.map(({ kind, calls, errors, dataErrors }) => ({ kind, calls, errors, dataErrors })),
    }
  } catch (error) {
    mount.abort()
    for (const client of clients) client.kill()
    throw error
  }
}

/** A client that waits for an answer that never comes is freed by aborting the connection; its calls then fail. */
async function finish(mount: DrilledMount, clients: readonly RunningClient[]): Promise<ClientReport[]> {
  const guard = setTimeout(() => {
    mount.abort()
  }, CLIENT_STOP_MS)
  for (const client of clients) client.stop()
  const reports = await Promise.all(clients.map((client) => client.report))
  clearTimeout(guard)
  return reports
}

/** Of the kills that came while a standby was ready. */
function withStandby(kills: readonly DrilledKill[], longest: readonly LongestCall[]): Blackouts {
  return quantiles(blackoutOfEach(kills, longest).filter((_, index) => kills[index]!.ready))
}

/** What is installed or kept by git is no part of the drill. */
function copyTree(from: string, to: string): void {
  cpSync(realpathSync(from), to, {
    recursive: true,
    filter: (path) => !['node_modules', '.git'].includes(basename(path)),
  })
}
