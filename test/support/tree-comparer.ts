import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface, type Interface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { expect } from 'vitest'

const SCRIPT = fileURLToPath(new URL('../kernel/mirror/children/compare-trees.mjs', import.meta.url))

interface Answer {
  readonly milliseconds: number
  readonly differs?: string
}

/** A process that looks at a mount and its source (see compare-trees.mjs). */
export class TreeComparer {
  readonly #child: ChildProcess
  readonly #lines: Interface

  constructor(source: string, mount: string) {
    this.#child = spawn(process.execPath, [SCRIPT, source, mount], { stdio: ['pipe', 'pipe', 'inherit'] })
    this.#lines = createInterface({ input: this.#child.stdout! })
  }

  /** Looks until both are the same: after how many milliseconds. Fails when they are not in time. */
  async agree(milliseconds: number, absent: readonly string[] = []): Promise<number> {
    const answer = await this.#ask({ milliseconds, absent })
    if (answer.differs !== undefined) expect.fail(`after ${milliseconds} ms: ${answer.differs}`)
    return answer.milliseconds
  }

  /** As `agree`, contents of small files included. */
  async agreeInContents(milliseconds: number): Promise<void> {
    const { differs } = await this.#ask({ milliseconds, contents: true })
    if (differs !== undefined) expect.fail(`after ${milliseconds} ms: ${differs}`)
  }

  /** In what they differ at once. */
  async differs(absent: readonly string[] = []): Promise<string | undefined> {
    return (await this.#ask({ absent })).differs
  }

  /** In what these names still differ after so long, when nothing is listed. */
  async differIn(only: readonly string[], milliseconds: number): Promise<string | undefined> {
    return (await this.#ask({ only, milliseconds })).differs
  }

  /** Calls stat on the mount's paths, one after another, so many times. */
  async stat(count: number, paths: readonly string[]): Promise<void> {
    await this.#ask({ stats: count, paths })
  }

  [Symbol.dispose](): void {
    this.#child.kill('SIGKILL')
  }

  #ask(request: object): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        reject(new Error('no answer from the process that looks at the mount'))
      }, 60_000)
      this.#lines.once('line', (line) => {
        clearTimeout(timer)
        resolve(JSON.parse(line) as Answer)
      })
      this.#child.stdin!.write(`${JSON.stringify(request)}\n`)
    })
  }
}
