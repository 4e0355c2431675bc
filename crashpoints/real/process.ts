import { spawn, type ChildProcess } from 'node:child_process'
import process from 'node:process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { callNames, type Caller } from '../run/caller.js'
import type { User } from '../run/client.js'
import { fromJson, toJson } from './values.js'

const MAIN = fileURLToPath(new URL('./process-main.js', import.meta.url))
/** Longer than the guard of the mount leaves any call. */
const PATIENCE_MS = 60_000

interface Answer {
  readonly value?: unknown
  readonly code?: string
  readonly failure?: string
}

/** A real process whose system calls are made by order: this one must not touch the mount. */
export class RealProcess {
  readonly #child: ChildProcess
  readonly #waiting: ((answer: Answer) => void)[] = []
  readonly #ended: Promise<void>
  #isAlive = true

  /** `directory`: where it stands, and what its paths begin at. */
  constructor(directory: string, { uid, gid }: User) {
    this.#child = spawn(
      'sh',
      ['-c', 'cd "$1" && shift && exec "$@"', 'sh', directory, process.execPath, MAIN],
      {
        stdio: ['pipe', 'pipe', 'inherit'],
        cwd: '/',
        ...(uid === 0 ? {} : { uid, gid }),
      },
    )
    this.#child.stdin!.on('error', () => undefined)
    createInterface({ input: this.#child.stdout! }).on('line', (line) =>
      this.#waiting.shift()?.(fromJson(line) as Answer),
    )
    this.#ended = new Promise((resolve) => {
      this.#child.once('close', () => {
        this.#isAlive = false
        for (const settle of this.#waiting.splice(0)) settle({ code: 'killed' })
        resolve()
      })
    })
  }

  /** Its calls, as the operations make them. */
  readonly caller: Caller = Object.assign(
    Object.fromEntries(callNames.map((name) => [name, (...args: unknown[]) => this.ask(name, ...args)])),
    {
      interrupt: () => void this.#child.kill('SIGUSR2'),
      kill: () => this.kill(),
      exit: async () => {
        await this.ask('reset')
      },
    },
  ) as unknown as Caller

  async ask(name: string, ...args: readonly unknown[]): Promise<unknown> {
    if (!this.#isAlive) throw new Error(`${name}: the process has ended`)
    const answer = await new Promise<Answer>((resolve, reject) => {
      const timer = setTimeout(() => {
        reject(new Error(`${name} has not returned within ${PATIENCE_MS / 1000} s`))
      }, PATIENCE_MS)
      this.#waiting.push((given) => {
        clearTimeout(timer)
        resolve(given)
      })
      this.#child.stdin!.write(`${toJson([name, ...args])}\n`)
    })
    if (answer.failure === undefined && answer.code === undefined) return answer.value
    const error = new Error(`${name} failed: ${answer.failure ?? ''}`)
    throw answer.code === undefined ? error : Object.assign(error, { code: answer.code })
  }

  async kill(): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.#ended
  }
}
