import { spawn } from 'node:child_process'
import { killGroup } from './command.js'

/** Looks once a second whether the program is still there. */
const GUARD = `
left="$2"
while [ "$left" -gt 0 ] && kill -0 "$3" 2> /dev/null; do sleep 1; left=$((left - 1)); done
awk -v point="$1" '$5 == point { split($3, device, ":"); print device[2] }' /proc/self/mountinfo |
  while read -r connection; do
    echo 1 > "/sys/fs/fuse/connections/$connection/abort"
    umount -l "$1"
  done
`

/**
 * Ends whatever is mounted at the mount point after a deadline, or when this program itself has ended in whatever
 * way, from a process outside: a program that hangs on a mount then fails instead. Started before the mount is made;
 * returns what calls it off.
 */
export function guardMount(mountPoint: string, seconds: number): () => void {
  const guard = spawn('sh', ['-c', GUARD, 'guard', mountPoint, String(seconds), String(process.pid)], {
    stdio: 'ignore',
    detached: true,
  })
  guard.unref()
  return () => {
    if (guard.exitCode === null && guard.signalCode === null) killGroup(guard.pid)
  }
}
