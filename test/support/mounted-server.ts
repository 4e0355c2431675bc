import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { guardConnection } from './mount-guard.js'
import { runCommand } from './run-child.js'

/** What a server says on a line of its own. */
export interface ServerLine {
  readonly pid?: number
  readonly connection?: number
  readonly ended?: number
  readonly code?: string
  readonly message?: string
  readonly remedy?: string
}

/** A server of an empty directory in a process of its own, with a guard over its connection. */
export class MountedServer {
  readonly child: ChildProcess
  readonly #lines: AsyncIterator<string>
  readonly #mountPoint: string
  #callOff: (() => void) | undefined

  private constructor(child: ChildProcess, mountPoint: string) {
    this.child = child
    this.#mountPoint = mountPoint
    this.#lines = createInterface({ input: child.stdout! })[Symbol.asyncIterator]()
  }

  /** `how`: direct, fusermount, or an inherited descriptor (of `stdio`, which begins with the three usual ones). */
  static async start(
    how: string,
    mountPoint: string,
    options = '',
    stdio: StdioOptions = ['ignore', 'pipe', 'inherit'],
  ): Promise<{ server: MountedServer; first: ServerLine }> {
    const script = fileURLToPath(new URL('../mount/children/server.mjs', import.meta.url))
    const server = new MountedServer(
      spawn(process.execPath, [script, how, mountPoint, options], { stdio }),
      mountPoint,
    )
    const first = await server.line()
    if (first.connection !== undefined && first.connection > 0) server.guard(first.connection)
    return { server, first }
  }

  guard(connection: number): void {
    this.#callOff = guardConnection(connection)
  }

  /** The next line that the server says; an empty object when it has ended. */
  async line(): Promise<ServerLine> {
    const next = await this.#lines.next()
    return next.done === true ? {} : (JSON.parse(next.value) as ServerLine)
  }

  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return
    this.child.kill(signal)
    await once(this.child, 'exit')
  }

  /** Ends the server and takes its mounts away. */
  async stop(): Promise<void> {
    await this.kill()
    await runCommand('umount', ['-l', this.#mountPoint], 5000)
    this.#callOff?.()
  }
}

/** statfs of a path from another process: the length of names, or what stat(1) says. */
export async function nameLengthOf(path: string): Promise<number | string> {
  const { code, stdout, stderr, signal } = await runCommand('stat', ['-f', '-c', '%l', '--', path], 5000)
  return code === 0 ? Number(stdout) : stderr.trim() || String(signal)
}
