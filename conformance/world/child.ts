import { type ChildProcess, spawn, type StdioOptions } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { Outcome } from '../outcome.js'

/** What a child says to an order. */
interface Answer {
  readonly value?: unknown
  readonly error?: string
  /** A fault of the child's own. */
  readonly failure?: string
}

export interface ChildOptions {
  readonly args?: readonly string[]
  readonly uid?: number
  readonly gid?: number
  /** A descriptor that becomes the child's descriptor 3. */
  readonly socket?: number
}

/**
 * A process that carries out orders, one after the other, in lines of JSON. It may be blocked by one for as long as it
 * likes: its answer is then a promise that is not settled.
 */
export class Child {
  readonly process: ChildProcess
  readonly ended: Promise<void>
  isAlive = true
  readonly #waiting: ((answer: Answer | undefined) => void)[] = []

  /** `script`: relative to this folder. */
  constructor(script: string, options: ChildOptions = {}) {
    const stdio: StdioOptions = ['pipe', 'pipe', 'inherit']
    if (options.socket !== undefined) stdio.push(options.socket)
    this.process = spawn(
      process.execPath,
      [fileURLToPath(new URL(script, import.meta.url)), ...(options.args ?? [])],
      {
        stdio,
        cwd: '/',
        ...(options.uid === undefined ? {} : { uid: options.uid }),
        ...(options.gid === undefined ? {} : { gid: options.gid }),
      },
    )
    this.process.stdin!.on('error', () => undefined)
    createInterface({ input: this.process.stdout! }).on('line', (line) =>
      this.#waiting.shift()?.(JSON.parse(line) as Answer),
    )
    this.ended = new Promise((resolve) => {
      this.process.once('close', () => {
        this.isAlive = false
        for (const settle of this.#waiting.splice(0)) settle(undefined)
        resolve()
      })
    })
  }

  get pid(): number {
    return this.process.pid ?? 0
  }

  /** Whether an order has not been answered. */
  get isBusy(): boolean {
    return this.#waiting.length > 0
  }

  /** The outcome of an order; undefined when the child has ended instead. */
  async ask(order: object): Promise<Outcome | undefined> {
    if (!this.isAlive) return undefined
    const answer = await new Promise<Answer | undefined>((resolve) => {
      this.#waiting.push(resolve)
      this.process.stdin!.write(`${JSON.stringify(order)}\n`)
    })
    if (answer === undefined) return undefined
    if (answer.failure !== undefined) throw new Error(`${JSON.stringify(order)}: ${answer.failure}`)
    return answer.error === undefined ? { value: answer.value ?? null } : { error: answer.error }
  }

  /** An order that has no answer. */
  tell(order: object): void {
    this.process.stdin!.write(`${JSON.stringify(order)}\n`)
  }

  kill(signal: NodeJS.Signals = 'SIGKILL'): void {
    this.process.kill(signal)
  }
}
