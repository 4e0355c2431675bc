import { spawn, type ChildProcess, type StdioOptions } from 'node:child_process'
import type { Socket } from 'node:net'
import { fileURLToPath } from 'node:url'
import { close, setNonBlocking, SOCKET, socketpair, Waiter } from '../native/index.js'
import { Channel } from './channel.js'
import { fenced } from './fence.js'
import type { DescriptorStore } from './keeper.js'
import { Priority, setProcessPriority } from './priority.js'
import { ServerFd, type FromServer, type ServerSettings, type ToServer } from './messages.js'

/**
 * A small young generation, since a request leaves little garbage, and no threads of V8's own: a process with less memory
 * and fewer threads is sooner taken apart when it is killed, and does not compete with clients for a core.
 */
const NODE_FLAGS = ['--max-semi-space-size=2', '--v8-pool-size=0']
const SERVER_MAIN = fileURLToPath(new URL('./server-main.js', import.meta.url))

/** Why a server process is no more. */
export interface ServerExit {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

/** One server process, seen from its supervisor. */
export class ServerProcess {
  readonly startedAt = Date.now()
  readonly #child: ChildProcess
  readonly #channel: Channel<FromServer, ToServer>
  readonly #keeperWaiter: Waiter
  #disposed = false
  readonly #listeners = new Set<(message: FromServer) => void>()
  /** The supervisor's end of the socket for descriptors. */
  readonly keeperSocket: number
  /** Settles when the process has been reaped. */
  readonly exited: Promise<ServerExit>
  /** Settles when no thread of the process can do anything any more: at the latest when it is reaped. */
  readonly powerless: Promise<void>
  #settlePowerless: () => void = () => undefined
  #exit: ServerExit | undefined
  #gone = false
  #ready = false

  /**
   * `log`: descriptor for what it writes to its standard output and error. `kept`: takes in what it leaves with the
   * supervisor, as it comes: a socket holds only so much, and then the server would wait. `directory`: see
   * HELD_DIRECTORY.
   */
  constructor(
    settings: ServerSettings,
    device: number,
    journal: number,
    log: number,
    kept: DescriptorStore,
    directory: number | undefined,
  ) {
    const pair = new Int32Array(2)
    socketpair(pair, SOCKET.SEQPACKET)
    this.keeperSocket = pair[0]!
    setNonBlocking(this.keeperSocket)
    const stdio: StdioOptions = [
      'ignore',
      log,
      log,
      device,
      journal,
      'pipe',
      pair[1]!,
      ...(directory === undefined ? [] : [directory]),
    ]
    this.#child = spawn(process.execPath, [...NODE_FLAGS, SERVER_MAIN, JSON.stringify(settings)], { stdio })
    close(pair[1]!)
    this.#keeperWaiter = new Waiter([this.keeperSocket])
    void this.#receiveKept(kept)
    this.powerless = new Promise((resolve) => {
      this.#settlePowerless = resolve
    })
    this.exited = new Promise((resolve) => {
      const settle = (code: number | null, signal: NodeJS.Signals | null): void => {
        this.#exit = { code, signal }
        this.#nowPowerless()
        resolve(this.#exit)
      }
      this.#child.once('exit', settle)
      this.#child.once('error', () => {
        settle(null, null)
      })
    })
    this.#channel = new Channel((this.#child.stdio as unknown[])[ServerFd.channel] as Socket, (message) => {
      if (message.type === 'ready') this.#ready = true
      for (const listener of [...this.#listeners]) listener(message)
    })
  }

  get pid(): number {
    return this.#child.pid ?? 0
  }

  /** Loaded, and waiting to be activated. */
  get ready(): boolean {
    return this.#ready && !this.#gone
  }

  /** No thread of it can do anything any more. */
  get gone(): boolean {
    return this.#gone
  }

  send(message: ToServer): void {
    this.#channel.send(message)
  }

  /** The predecessor is gone, or has paused: this one takes over, with what has been kept. */
  activate(kept: DescriptorStore): void {
    this.send({ type: 'activate', kept: kept.size })
    void kept.sendAll(this.keeperSocket, () => !this.#disposed)
  }

  /** From now on its end is noticed sooner than it can be reaped. `word`: the one that it owns as it serves. */
  watchEnd(word: Uint8Array): void {
    void fenced(this.pid, word).then((isFenced) => {
      // Once it has been reaped its number may be another's, and what was seen may be of that one.
      if (!isFenced || this.#exit !== undefined) return
      this.#nowPowerless()
      // What is left of it is only in the way of those that it has left waiting.
      this.setBackground(true)
    })
  }

  onMessage(listener: (message: FromServer) => void): void {
    this.#listeners.add(listener)
  }

  /** The next message of a type; undefined when the process ends, or the time is over, before it comes. */
  next<T extends FromServer['type']>(
    type: T,
    milliseconds: number,
  ): Promise<Extract<FromServer, { type: T }> | undefined> {
    return new Promise((resolve) => {
      const finish = (message?: FromServer): void => {
        clearTimeout(timer)
        this.#listeners.delete(listener)
        resolve(message as Extract<FromServer, { type: T }> | undefined)
      }
      const listener = (message: FromServer): void => {
        if (message.type === type) finish(message)
      }
      const timer = setTimeout(finish, milliseconds)
      this.#listeners.add(listener)
      void this.exited.then(() => {
        finish()
      })
    })
  }

  /** Lets a process that is getting ready stand back behind those that serve and those that are served. */
  setBackground(background: boolean): void {
    setProcessPriority(this.pid, background ? Priority.background : Priority.serving)
  }

  /** SIGKILL: a server has nothing to tidy up. */
  kill(): void {
    this.#child.kill('SIGKILL')
  }

  /** Closes what the supervisor holds of a server that is gone. */
  dispose(): void {
    this.#disposed = true
    this.#channel.end()
    this.#keeperWaiter.close()
    close(this.keeperSocket)
  }

  #nowPowerless(): void {
    this.#gone = true
    this.#settlePowerless()
  }

  async #receiveKept(kept: DescriptorStore): Promise<void> {
    for (let open = true; open;) {
      await this.#keeperWaiter.wait()
      open = !this.#disposed && kept.receive(this.keeperSocket)
    }
  }
}
