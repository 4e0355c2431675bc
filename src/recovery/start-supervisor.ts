import { spawn } from 'node:child_process'
import { Socket } from 'node:net'
import { fileURLToPath } from 'node:url'
import { FuseError } from '../errors/fuse-error.js'
import { close, SOCKET } from '../native/index.js'
import { ServerFd, type Heritage, type SupervisorTask } from './messages.js'
import { NODE_FLAGS } from './node-flags.js'
import { socketPair } from './socket-pair.js'

const SUPERVISOR_MAIN = fileURLToPath(new URL('./supervisor-main.js', import.meta.url))
/** Of a server: its standard output, which is the log. */
const LOG = 1

/** How a supervisor is started: the command's arguments after the program. */
export function supervisorArguments(task: SupervisorTask): string[] {
  return [...NODE_FLAGS, SUPERVISOR_MAIN, JSON.stringify(task)]
}

/** A supervisor that has been started by the server that it is to take charge of. */
export interface StartedSupervisor {
  /** The server's end of the channel. */
  readonly channel: Socket
  /** The server's end of the socket for descriptors. */
  readonly keeper: number
}

/**
 * Starts a supervisor for the mount that this process serves. It gets a descriptor of everything that a mount
 * consists of, and a session of its own. Throws FuseError when it cannot be started; one that dies closes the channel.
 */
export function startSupervisor(heritage: Heritage): StartedSupervisor {
  const [keeper, itsKeeper] = socketPair(SOCKET.SEQPACKET)
  const { device, journal, directory, watch } = ServerFd
  const { request } = heritage
  const held = [
    ...(request.directory === undefined ? [] : [directory]),
    ...(request.watch === true ? [watch] : []),
  ]
  try {
    const child = spawn(process.execPath, supervisorArguments({ adopt: heritage, server: process.pid }), {
      detached: true,
      stdio: ['ignore', LOG, LOG, 'pipe', device, journal, itsKeeper, LOG, ...held],
    })
    child.on('error', () => undefined)
    child.unref()
    const channel = (child.stdio as readonly unknown[] | undefined)?.[3]
    if (channel instanceof Socket) return { channel, keeper }
    throw new FuseError('ERR_SUPERVISOR', { problem: 'no new one can be started' })
  } catch (error) {
    close(keeper)
    throw error
  } finally {
    close(itsKeeper)
  }
}
