import { spawn, type ChildProcess } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const WORKER_MAIN = fileURLToPath(new URL('./worker-main.js', import.meta.url))
const REST_MS = 120_000

/** Works on the mount from a process of its own. */
export class Worker {
  /** Calls made so far, as of the last rest. */
  operations = 0
  readonly #child: ChildProcess
  #failure: Error | undefined
  #onRest: () => void = () => undefined
  #onFailure: (error: Error) => void = () => undefined

  constructor(mountPoint: string, files: number) {
    const child = spawn(process.execPath, [WORKER_MAIN, mountPoint, String(files)], {
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    this.#child = child
    createInterface({ input: child.stdout }).on('line', (line) => {
      if (line.startsWith('failed ')) this.#failed(new Error(`the client: ${line.slice(7)}`))
      if (!line.startsWith('resting ')) return
      this.operations = Number(line.slice(8))
      this.#onRest()
    })
    child.once('exit', () => {
      this.#failed(new Error('the client has ended'))
    })
  }

  /** Throws what has failed, if anything has. */
  check(): void {
    if (this.#failure !== undefined) throw this.#failure
  }

  /** Resolves when it rests: it has nothing open, and no call under way. */
  rest(): Promise<void> {
    return new Promise((resolve, reject) => {
      const late = setTimeout(() => {
        reject(new Error('the client does not come to rest'))
      }, REST_MS)
      this.#onRest = () => {
        clearTimeout(late)
        resolve()
      }
      this.#onFailure = (error) => {
        clearTimeout(late)
        reject(error)
      }
      if (this.#failure !== undefined) this.#onFailure(this.#failure)
      this.#child.stdin?.write('rest\n')
    })
  }

  work(): void {
    this.#child.stdin?.write('work\n')
  }

  end(): void {
    this.#child.kill('SIGKILL')
  }

  #failed(error: Error): void {
    this.#failure ??= error
    this.#onFailure(this.#failure)
  }
}
