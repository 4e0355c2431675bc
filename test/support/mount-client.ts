import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { expect } from 'vitest'

const SCRIPT = fileURLToPath(new URL('./mount-client.mjs', import.meta.url))

/** A call of mount-client.mjs: its name and arguments. */
export type Call = readonly [name: string, ...args: readonly unknown[]]

/** What a call came to: a value, or the name of an errno. */
export interface Outcome {
  readonly value?: unknown
  readonly error?: string
}

/** A process that makes calls on a mount, one after another: the test's own must not touch one. */
export class MountClient {
  readonly #child: ChildProcess
  readonly #waiting: ((line: string | undefined) => void)[] = []
  readonly #ended: Promise<void>

  /** `base`: the directory that its paths begin at. */
  constructor(base: string) {
    this.#child = spawn(process.execPath, [SCRIPT, base], { stdio: ['pipe', 'pipe', 'inherit'] })
    this.#child.stdin!.on('error', () => undefined)
    createInterface({ input: this.#child.stdout! }).on('line', (line) => this.#waiting.shift()?.(line))
    this.#ended = new Promise((resolve) => {
      this.#child.on('close', () => {
        for (const settle of this.#waiting.splice(0)) settle(undefined)
        resolve()
      })
    })
  }

  get pid(): number {
    return this.#child.pid ?? 0
  }

  /** Makes a call. Throws when the client has died, or does not come back in time. */
  async call(call: Call, milliseconds = 40_000): Promise<Outcome> {
    const line = await new Promise<string | undefined>((resolve, reject) => {
      const timer = setTimeout(() => {
        reject(new Error(`${JSON.stringify(call)}: no return within ${milliseconds} ms`))
      }, milliseconds)
      this.#waiting.push((answer) => {
        clearTimeout(timer)
        resolve(answer)
      })
      this.#child.stdin!.write(`${JSON.stringify(call)}\n`)
    })
    if (line === undefined) throw new Error(`${JSON.stringify(call)}: the client has died`)
    return JSON.parse(line) as Outcome
  }

  /** Makes a call that must succeed: its value. */
  async do(...call: Call): Promise<unknown> {
    const outcome = await this.call(call)
    if (outcome.error !== undefined) expect.fail(`${JSON.stringify(call)}: ${outcome.error}`)
    return outcome.value
  }

  end(): void {
    this.#child.kill('SIGKILL')
  }

  /** Ends it as its end of input does: open files are closed. */
  async finish(): Promise<void> {
    this.#child.stdin!.end()
    await this.#ended
  }
}
