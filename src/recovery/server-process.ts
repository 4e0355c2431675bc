import { spawn, type StdioOptions } from 'node:child_process'
import { Socket } from 'node:net'
import { fileURLToPath } from 'node:url'
import { FuseError } from '../errors/fuse-error.js'
import { close, setNonBlocking, SOCKET, socketpair, Waiter } from '../native/index.js'
import { Channel } from './channel.js'
import { fenced } from './fence.js'
import type { DescriptorStore } from './keeper.js'
import { NODE_FLAGS } from './node-flags.js'
import { Priority, setProcessPriority } from './priority.js'
import { childHandle, type ServerExit, type ServerHandle } from './server-handle.js'
import { ServerFd, type FromServer, type Heritage, type ToServer } from './messages.js'

const SERVER_MAIN = fileURLToPath(new URL('./server-main.js', import.meta.url))

/** What a server process is given by its supervisor. */
export interface ServerResources {
  readonly heritage: Heritage
  readonly device: number
  readonly journal: number
  /** Descriptor for what it writes to its standard output and error. */
  readonly log: number
  /** See HELD_DIRECTORY. */
  readonly directory: number | undefined
  /** See MountRequest.watch. */
  readonly watch: number | undefined
}

/** One server process, seen from its supervisor. */
export class ServerProcess {
  readonly #handle: ServerHandle
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

  /** `kept` takes in what it leaves with the supervisor, as it comes: a socket holds only so much. */
  private constructor(
    handle: ServerHandle,
    channel: Socket | number,
    keeperSocket: number,
    kept: DescriptorStore,
  ) {
    this.#handle = handle
    this.keeperSocket = keeperSocket
    setNonBlocking(keeperSocket)
    this.#keeperWaiter = new Waiter([keeperSocket])
    void this.#receiveKept(kept)
    this.powerless = new Promise((resolve) => {
      this.#settlePowerless = resolve
    })
    this.exited = handle.exited.then((exit) => {
      this.#exit = exit
      this.#nowPowerless()
      return exit
    })
    this.#channel = new Channel(channel, (message) => {
      if (message.type === 'ready') {
        this.#ready = true
        this.send({ type: 'rehearse' })
      }
      for (const listener of [...this.#listeners]) listener(message)
    })
  }

  /** Throws ERR_SYSCALL when this process has no descriptors left for it. */
  static spawn(resources: ServerResources, kept: DescriptorStore): ServerProcess {
    const { heritage, device, journal, log, directory, watch } = resources
    const pair = new Int32Array(2)
    const made = socketpair(pair, SOCKET.SEQPACKET)
    if (made < 0) throw new FuseError('ERR_SYSCALL', { syscall: 'socketpair', errno: -made })
    const stdio: StdioOptions = [
      'ignore',
      log,
      log,
      device,
      journal,
      'pipe',
      pair[1]!,
      ...(directory === undefined ? [] : [directory]),
      ...(watch === undefined ? [] : [watch]),
    ]
    try {
      const child = spawn(process.execPath, [...NODE_FLAGS, SERVER_MAIN, JSON.stringify(heritage)], { stdio })
      // Without descriptors for its pipes the child has none of them.
      const channel = (child.stdio as readonly unknown[] | undefined)?.[ServerFd.channel]
      if (!(channel instanceof Socket)) {
        child.once('error', () => undefined)
        throw new FuseError('ERR_SUPERVISOR', { problem: 'no server process can be started' })
      }
      return new ServerProcess(childHandle(child), channel, pair[0]!, kept)
    } catch (error) {
      close(pair[0]!)
      throw error
    } finally {
      close(pair[1]!)
    }
  }

  /** A server that has been serving under a supervisor that died. */
  static adopt(handle: ServerHandle, channel: number, keeper: number, kept: DescriptorStore): ServerProcess {
    return new ServerProcess(handle, channel, keeper, kept)
  }

  get pid(): number {
    return this.#handle.pid
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

  /** The predecessor is gone or has paused: this one takes over, with what has been kept. */
  activate(kept: DescriptorStore, afterPause: boolean): void {
    this.send({ type: 'activate', kept: kept.size, afterPause })
    void kept.sendAll(this.keeperSocket, () => !this.#disposed)
  }

  /** Callers wait for it, and it is not ready: it comes before them now, and leaves out what only makes it quicker later. */
  hurry(): void {
    this.setBackground(false)
    this.send({ type: 'hurry' })
  }

  /** From now on its end is noticed sooner than it can be reaped. `word`: the one that it owns as it serves. */
  watchEnd(word: Uint8Array): void {
    void fenced(this.pid, word).then((isFenced) => {
      // A reaped process's number may be another's; but then it is powerless all the more.
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
    this.#handle.kill()
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
