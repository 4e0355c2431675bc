/**
 * The scripted server in a process of its own, for the real kernel: orders come in lines of JSON, the device as a
 * descriptor over the socket that is descriptor 3. Serves one scenario after the other, unless it is killed in one.
 */
import { closeSync, openSync, readFileSync, writeFileSync, writeSync } from 'node:fs'
import { createInterface } from 'node:readline'
import {
  CAP,
  capabilitySet,
  ioctl,
  receiveFds,
  warmThreadPool,
  withoutCapabilities,
} from '../../src/native/index.js'
import { BACKING_CLOSE_ALL_ID, DeviceIoctl } from '../../src/protocol/flags/device.js'
import { DeviceTransport } from '../../src/transport/device.js'
import type { Transport } from '../../src/transport/transport.js'
import type { OpenAnswer, ServerCommand, Setup } from '../scenario.js'
import type { RegisterOptions } from './backing-ids.js'
import { ScriptedServer, type Surroundings } from './scripted-server.js'
import type { ServerState } from './tree.js'

const SOCKET = 3

export interface BeginOrder {
  readonly do: 'begin'
  readonly setup: Setup
  /** Where the backing files are. */
  readonly directory: string
  readonly stateFile: string
  readonly logFile: string
  /** Whether it knows which backing ids its predecessor has used. */
  readonly ids: boolean
  /** It is the first of this mount. */
  readonly first: boolean
  readonly stackedFile: string | null
  /** What its predecessor had read and not answered is to come again. */
  readonly resend: boolean
}

export type ServerOrder =
  | BeginOrder
  | { readonly do: 'command'; readonly command: ServerCommand }
  | { readonly do: 'next-open'; readonly answer: OpenAnswer | null }
  /** Answers what is there; the descriptors of its devices. */
  | { readonly do: 'drain' }
  | { readonly do: 'end' }

let server: ScriptedServer | undefined
let log = -1

function die(): never {
  process.kill(process.pid, 'SIGKILL')
  for (;;);
}

function descriptorOf(device: Transport | null): number {
  return device instanceof DeviceTransport ? device.fd : -1
}

function register(device: Transport, fd: number, options: RegisterOptions): number {
  const map = new Uint8Array(16)
  const view = new DataView(map.buffer)
  view.setInt32(0, fd, true)
  view.setUint32(4, options.flags ?? 0, true)
  view.setUint32(8, options.padding ?? 0, true)
  const action = (): number => ioctl(descriptorOf(device), DeviceIoctl.BACKING_OPEN, map)
  return options.unprivileged === true ? withoutCapabilities(capabilitySet(CAP.SYS_ADMIN), action) : action()
}

async function begin(order: BeginOrder): Promise<unknown> {
  const fds: number[] = []
  const result = receiveFds(SOCKET, new Uint8Array(1), fds)
  const [fd] = fds
  if (result !== 1 || fd === undefined) throw new Error(`no device came: ${result}`)
  log = openSync(order.logFile, 'a')
  const state = JSON.parse(readFileSync(order.stateFile, 'utf8')) as ServerState
  if (!order.ids) state.kept = {}
  let saved = ''
  const around: Surroundings = {
    directory: order.directory,
    stackedFile: order.stackedFile,
    log: (request) => void writeSync(log, `${JSON.stringify(request)}\n`),
    save: (present) => {
      const text = JSON.stringify(present)
      if (text !== saved) writeFileSync(order.stateFile, text)
      saved = text
    },
    die,
    registrar: { register, closeAll: (device) => device.backingClose(BACKING_CLOSE_ALL_ID) },
  }
  server = new ScriptedServer(new DeviceTransport(fd), state, order.setup, around)
  if (order.first) for (const reaction of order.setup.reactions ?? []) server.expect(...reaction)
  server.onFailure = fail
  return await server.takeOver(order.resend)
}

function fail(error: unknown): void {
  process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`)
  die()
}

function end(): null {
  server?.end()
  for (const device of server?.devices ?? []) device?.close()
  server = undefined
  if (log >= 0) closeSync(log)
  log = -1
  return null
}

async function carryOut(order: ServerOrder): Promise<unknown> {
  if (order.do === 'begin') return await begin(order)
  if (order.do === 'end') return end()
  if (server === undefined) throw new Error('nothing is served')
  switch (order.do) {
    case 'command':
      return await server.command(order.command)
    case 'next-open':
      server.nextOpen = order.answer
      return null
    case 'drain':
      server.drain()
      return server.devices.map(descriptorOf)
  }
}

await warmThreadPool()
let last: Promise<unknown> = Promise.resolve()
createInterface({ input: process.stdin }).on('line', (line) => {
  last = last
    .then(() => carryOut(JSON.parse(line) as ServerOrder))
    .then(
      (value) => ({ value }),
      (error: unknown) => ({
        failure: error instanceof Error ? (error.stack ?? error.message) : String(error),
      }),
    )
    .then((answer) => void process.stdout.write(`${JSON.stringify(answer)}\n`))
})
