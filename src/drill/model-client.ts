import type { Calls } from './calls.js'
import type { ClientKind, ClientReport } from './client.js'
import type { RunningClient } from './ground.js'
import { runClient } from './run-client.js'

/** A client that shares this process with the kernel it asks. */
export class ModelClient implements RunningClient {
  readonly kind: ClientKind
  calls = 0
  kindsOfError = 0
  readonly started = Promise.resolve()
  readonly report: Promise<ClientReport>
  #over = false

  constructor(kind: ClientKind, mount: Calls, source: string) {
    this.kind = kind
    this.report = runClient(kind, mount, source, {
      isOver: () => this.#over,
      onProgress: ({ calls, errors }) => {
        this.calls = calls
        this.kindsOfError = Object.keys(errors).length
      },
    })
  }

  stop(): void {
    this.#over = true
  }

  kill(): void {
    this.stop()
  }
}
