import { readFileSync, writeFileSync } from 'node:fs'
import { shell } from './command.js'

/** Connection numbers of the FUSE mounts at a mount point, without touching them. */
export function connectionsAt(mountPoint: string): number[] {
  return readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .map((line) => line.split(' '))
    .filter((fields) => fields[4] === mountPoint)
    .map((fields) => Number(fields[2]?.split(':')[1]))
}

/** The kernel shows connections, and lets them be aborted, from here on. */
export async function mountFusectl(): Promise<void> {
  await shell('[ -e /sys/fs/fuse/connections/ ] && mount -t fusectl fusectl /sys/fs/fuse/connections || true')
}

/** Every call on the connection's mount fails from now on, also those under way. */
export function abort(connection: number): void {
  try {
    writeFileSync(`/sys/fs/fuse/connections/${connection}/abort`, '1')
  } catch {
    // It has ended already.
  }
}
