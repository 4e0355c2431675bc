import { spawn } from 'node:child_process'

/**
 * Aborts whatever connections have their mount at the mount point, and unmounts them lazily. In a process group of
 * its own, so that no signal meant for the test run ends it.
 */
const GUARD = `
sleep "$2"
awk -v point="$1" '$5 == point { split($3, device, ":"); print device[2] }' /proc/self/mountinfo |
  while read -r connection; do
    echo 1 > "/sys/fs/fuse/connections/$connection/abort"
    umount -l "$1"
  done
`

/**
 * Ends every mount at a mount point after a deadline, from a process outside: a test that hangs on a mount then
 * fails instead, where no signal could end it. May be started before the mount is made. The path has no blanks.
 * Returns what calls it off.
 */
export function guardMount(mountPoint: string, milliseconds: number): () => void {
  const guard = spawn('sh', ['-c', GUARD, 'guard', mountPoint, String(milliseconds / 1000)], {
    stdio: 'ignore',
    detached: true,
  })
  guard.unref()
  return () => {
    if (guard.pid !== undefined && guard.exitCode === null && guard.signalCode === null) {
      process.kill(-guard.pid, 'SIGKILL')
    }
  }
}
