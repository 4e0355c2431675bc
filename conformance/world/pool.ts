import { socketpair, close } from '../../src/native/index.js'
import type { Identity } from '../scenario.js'
import { Child } from './child.js'

/** A server process and this side of the socket over which devices are handed to it. */
export interface ServerChild {
  readonly child: Child
  readonly socket: number
}

function startServer(): ServerChild {
  const pair = new Int32Array(2)
  if (socketpair(pair) < 0) throw new Error('no socket pair')
  const [socket, theirs] = pair as unknown as [number, number]
  const child = new Child('../server/main.js', { socket: theirs })
  close(theirs)
  return { child, socket }
}

const nameOf = ({ uid, gid }: Identity): string => `${uid}:${gid}`

/** Processes that serve one scenario after the other; those that die in one are replaced ahead of need. */
export class Pool {
  readonly #mountPoint: string
  readonly #servers: ServerChild[] = []
  readonly #clients = new Map<string, Child[]>()

  constructor(mountPoint: string) {
    this.#mountPoint = mountPoint
  }

  takeServer(): ServerChild {
    const server = this.#servers.shift() ?? startServer()
    // One more is under way while this one works.
    while (this.#servers.length < 2) this.#servers.push(startServer())
    return server
  }

  giveServer(server: ServerChild): void {
    if (server.child.isAlive) this.#servers.unshift(server)
    else close(server.socket)
  }

  takeClient(identity: Identity): Child {
    const idle = this.#clients.get(nameOf(identity)) ?? []
    return idle.shift() ?? new Child('../client/main.js', { args: [this.#mountPoint], ...identity })
  }

  giveClient(identity: Identity, client: Child): void {
    if (!client.isAlive) return
    const name = nameOf(identity)
    this.#clients.set(name, [...(this.#clients.get(name) ?? []), client])
  }

  async close(): Promise<void> {
    const children = [...this.#servers.map(({ child }) => child), ...[...this.#clients.values()].flat()]
    for (const child of children) child.kill()
    for (const { socket } of this.#servers) close(socket)
    await Promise.all(children.map(({ ended }) => ended))
  }
}
