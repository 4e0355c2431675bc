import { spawn, type ChildProcess } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { ClientKind, ClientReport, ClientTask } from './client.js'
import type { RunningClient } from './ground.js'

const CLIENT_MAIN = fileURLToPath(new URL('./client-main.js', import.meta.url))

/** A client in a process of its own: whoever touches the mount may have to wait for its server. */
export class ClientProcess implements RunningClient {
  readonly kind: ClientKind
  calls = 0
  kindsOfError = 0
  readonly started: Promise<void>
  readonly report: Promise<ClientReport>
  readonly #child: ChildProcess

  constructor(task: ClientTask) {
    this.kind = task.kind
    const child = spawn(process.execPath, [CLIENT_MAIN, JSON.stringify(task)], {
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    this.#child = child
    let start: () => void = () => undefined
    this.started = new Promise((resolve) => {
      start = resolve
    })
    this.report = new Promise((resolve) => {
      createInterface({ input: child.stdout }).on('line', (line) => {
        if (line === 'started') start()
        else if (line.startsWith('report ')) resolve(JSON.parse(line.slice(7)) as ClientReport)
        else {
          const [calls, errors] = line.split(' ').map(Number)
          this.calls = calls ?? 0
          this.kindsOfError = errors ?? 0
        }
      })
      child.once('exit', () => {
        start()
        resolve({ kind: task.kind, calls: this.calls, errors: { 'client died': 1 }, dataErrors: 0 })
      })
    })
  }

  stop(): void {
    this.#child.stdin?.end('stop\n')
  }

  kill(): void {
    this.#child.kill('SIGKILL')
  }
}
