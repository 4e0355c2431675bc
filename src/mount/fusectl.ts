import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { FuseError } from '../errors/fuse-error.js'
import { cstring, mount } from '../native/index.js'
import { readMounts } from './mountinfo.js'

/** Where the kernel shows FUSE connections, when the file system fusectl is mounted there. */
export const CONNECTIONS = '/sys/fs/fuse/connections'

/** Whether fusectl is mounted. */
export function hasFusectl(): boolean {
  return readMounts().some((entry) => entry.type === 'fusectl' && entry.mountPoint === CONNECTIONS)
}

/**
 * Mounts fusectl where it is missing (containers, small systems). Throws ERR_SYSCALL with the remedy when
 * that takes more privilege than this process has.
 */
export function ensureFusectl(): void {
  if (hasFusectl()) return
  const result = mount(cstring('fusectl'), cstring(CONNECTIONS), cstring('fusectl'), 0, null)
  if (result === 0 || hasFusectl()) return
  throw new FuseError(
    'ERR_SYSCALL',
    { syscall: 'mount', errno: -result, path: CONNECTIONS },
    { remedy: `As root: mount -t fusectl fusectl ${CONNECTIONS}` },
  )
}

/** The numbers of the connections that this user may see; empty without fusectl. */
export function connections(): number[] {
  try {
    return readdirSync(CONNECTIONS).map(Number)
  } catch {
    return []
  }
}

/** Whether a connection is there. It stays until the unmount, also when its server is long dead. */
export function connectionExists(connection: number): boolean {
  return existsSync(`${CONNECTIONS}/${connection}`)
}

/** How many requests have not been answered yet; undefined when the connection is gone or not this user's. */
export function waitingRequests(connection: number): number | undefined {
  try {
    return Number(readFileSync(`${CONNECTIONS}/${connection}/waiting`, 'latin1'))
  } catch {
    return undefined
  }
}

/**
 * Ends a connection: every call on its mount fails from now on, also those under way, whatever its server
 * does. Returns whether there was one to end.
 */
export function abortConnection(connection: number): boolean {
  try {
    writeFileSync(`${CONNECTIONS}/${connection}/abort`, '1', { flag: 'r+' })
    return true
  } catch {
    return false
  }
}
