import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { FuseError } from '../errors/fuse-error.js'
import { close, setNonBlocking, SOCKET, spawnProcess, Waiter } from '../native/index.js'
import { Channel } from './channel.js'
import { fenced } from './fence.js'
import type { DescriptorStore } from './keeper.js'
import { NODE_FLAGS } from './node-flags.js'
import { setProcessStanding, setStanding, type Standing } from './priority.js'
import { childHandle, type ServerExit, type ServerHandle } from './server-handle.js'
import type { FromServer, Heritage, ToServer } from './messages.js'
import { socketPair } from './socket-pair.js'

const SERVER_MAIN = fileURLToPath(new URL('./server-main.js', import.meta.url))

/** In which a socket is not filled: it holds some hundred descriptors, and who finds it full waits. */
const COLLECT_MS = 10
/** On an idle machine a standby is ready by then. */
const IDLE_MS = 2_000

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

/**
 * Of libuv's threads there must be one more than the one that sends notifications: that may wait for a page which the
 * kernel has asked the server to read, on another.
 */
function environment(): NodeJS.ProcessEnv {
  const threads = process.env['UV_THREADPOOL_SIZE']
  return threads === undefined || Number(threads) >= 2
    ? process.env
    : { ...process.env, UV_THREADPOOL_SIZE: '2' }
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
  #patience: NodeJS.Timeout | undefined

  /** `kept` takes in what it leaves with the supervisor, as it comes: a socket holds only so much. */
  private constructor(handle: ServerHandle, channel: number, keeperSocket: number, kept: DescriptorStore) {
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
        clearTimeout(this.#patience)
        setStanding(this.pid, 'urgent')
        this.send({ type: 'rehearse' })
      }
      for (const listener of [...this.#listeners]) listener(message)
    })
  }

  /** Throws ERR_SYSCALL when this process has no descriptors left for it, or no process can be started. */
  static spawn(resources: ServerResources, kept: DescriptorStore): ServerProcess {
    const { heritage, device, journal, log, directory, watch } = resources
    const [channel, itsChannel] = socketPair(SOCKET.STREAM)
    let keeper = -1
    let itsKeeper = -1
    try {
      ;[keeper, itsKeeper] = socketPair(SOCKET.SEQPACKET)
      const held = [directory, watch].filter((fd) => fd !== undefined)
      const pid = spawnProcess({
        file: process.execPath,
        args: [...NODE_FLAGS, SERVER_MAIN, JSON.stringify(heritage)],
        env: environment(),
        descriptors: ['ignore', log, log, device, journal, itsChannel, itsKeeper, ...held],
      })
      if (pid < 0) throw new FuseError('ERR_SYSCALL', { syscall: 'posix_spawn', errno: -pid })
      const server = new ServerProcess(childHandle(pid), channel, keeper, kept)
      server.standBack()
      return server
    } catch (error) {
      close(channel)
      if (keeper >= 0) close(keeper)
      throw error
    } finally {
      close(itsChannel)
      if (itsKeeper >= 0) close(itsKeeper)
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
    this.#stand('serving')
    this.send({ type: 'hurry' })
  }

  /** Callers wait for its end, how it has ended included. */
  hurryEnd(): void {
    this.#stand('serving')
  }

  /** From now on its end is noticed sooner than it can be reaped. `word`: the one that it owns as it serves. */
  watchEnd(word: Uint8Array): void {
    void fenced(this.pid, word).then((isFenced) => {
      // A reaped process's number may be another's; but then it is powerless all the more.
      if (!isFenced || this.#exit !== undefined) return
      this.#nowPowerless()
      // What is left of it is only in the way of those that it has left waiting.
      this.standBack()
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

  /**
   * For a process that is getting ready, or whose end is being completed: behind those that serve and those that are
   * served. On a busy machine it takes its share of the processors after a while.
   */
  standBack(): void {
    this.#stand('last')
    this.#patience = setTimeout(() => {
      this.#stand('patient')
    }, IDLE_MS).unref()
  }

  /** The callers who had to wait for it have been served: it is no longer to come before them at any price. */
  settle(): void {
    if (!this.gone) setStanding(this.pid, 'serving')
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

  #stand(standing: Standing): void {
    clearTimeout(this.#patience)
    if (this.#exit === undefined) setProcessStanding(this.pid, standing)
  }

  #nowPowerless(): void {
    this.#gone = true
    this.#settlePowerless()
  }

  async #receiveKept(kept: DescriptorStore): Promise<void> {
    for (let open = true; open;) {
      await this.#keeperWaiter.wait()
      open = !this.#disposed && kept.receive(this.keeperSocket)
      // What lies in the socket is safe there, and a server that removes many directories is not to wake us for each.
      if (open) await delay(COLLECT_MS)
    }
  }
}
