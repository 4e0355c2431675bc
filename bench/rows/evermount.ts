import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { run } from '../command.js'
import { EVERMOUNT } from '../programs.js'
import { abort, connectionsAt } from '../mount-table.js'
import type { Mounted, MountPlace, Row } from './row.js'

/** What the benchmark needs of `evermount status --json`. */
export interface Status {
  readonly pids: {
    readonly supervisor: number
    readonly server: number | null
    readonly standby: number | null
  }
  readonly standbyReady: boolean
  readonly knownNodes: number
  readonly requests: Readonly<Record<string, number>>
}

/** A mount made by `evermount mirror`. */
export class EvermountMount implements Mounted {
  readonly directory: string
  /** Short: a socket's path may have 107 bytes. */
  readonly #runtime = mkdtempSync(join(tmpdir(), 'evm-'))
  #status: Status | undefined

  private constructor(place: MountPlace) {
    this.directory = place.mountPoint
  }

  static async start(place: MountPlace, ...further: readonly string[]): Promise<EvermountMount> {
    const mount = new EvermountMount(place)
    const timeouts = ['--entry-timeout', '--attr-timeout', '--negative-timeout'].flatMap((name) => [
      name,
      String(place.timeout),
    ])
    await mount.#run('mirror', ...timeouts, ...further, place.source, place.mountPoint)
    await mount.standby()
    return mount
  }

  get servers(): readonly number[] {
    return Object.values(this.processes).filter((pid) => pid > 0)
  }

  /** As of the last look at its status. */
  get processes(): Readonly<Record<string, number>> {
    const { supervisor = 0, server = 0, standby = 0 } = this.#status?.pids ?? {}
    return { supervisor, server: server ?? 0, standby: standby ?? 0 }
  }

  async status(): Promise<Status> {
    this.#status = JSON.parse(await this.#run('status', '--json', this.directory)) as Status
    return this.#status
  }

  /** Waits until a standby is ready: its start would take part of the machine from what is measured. */
  async standby(seconds = 30): Promise<Status> {
    const until = performance.now() + seconds * 1000
    for (;;) {
      const status = await this.status()
      if (status.standbyReady) return status
      if (performance.now() > until) throw new Error('evermount: no standby')
      await delay(50)
    }
  }

  async end(): Promise<void> {
    await this.#run('unmount', this.directory).catch(async () => {
      for (const connection of connectionsAt(this.directory)) abort(connection)
      await this.#run('unmount', '--lazy', this.directory).catch(() => undefined)
    })
    rmSync(this.#runtime, { recursive: true, force: true })
  }

  async #run(...args: readonly string[]): Promise<string> {
    const options = { env: { EVERMOUNT_RUNTIME_DIR: this.#runtime }, deadline: 40_000 }
    return (await run(process.execPath, [EVERMOUNT, ...args], options)).stdout
  }
}

export const evermount: Row = { name: 'evermount', start: (place) => EvermountMount.start(place) }

/** Long timeouts as they are meant to be used: the kernel is told of what changes in the source. */
export const evermountWatching: Row = {
  name: 'evermount, watch',
  start: (place) => EvermountMount.start(place, '--watch'),
}

/** Kept awake also while it is not busy. */
export const evermountAwake: Row = {
  ...evermount,
  name: 'evermount, processors awake',
  keepsProcessorsAwake: true,
}

/** Without what makes the machine faster, whoever serves (docs/decisions/0007). */
export const evermountHalting: Row = {
  name: 'evermount, processors halt',
  start: (place) => EvermountMount.start(place, '--poll-idle', 'never'),
}

/** Where the kernel has no passthrough to give, and nobody else writes to the source. */
export const evermountWritingBack: Row = {
  name: 'evermount, writeback cache',
  start: (place) => EvermountMount.start(place, '--writeback-cache'),
}

export const evermountWithoutPassthrough: Row = {
  name: 'evermount, no passthrough',
  start: (place) => EvermountMount.start(place, '--no-passthrough'),
}
