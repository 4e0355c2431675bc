// Starts a child that wants to die with it, waits until it is set up, prints its pid and kills itself.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeSync } from 'node:fs'

if (process.argv[2] === 'child') {
  const { setParentDeathSignal } = await import('../../../dist/native/index.js')
  setParentDeathSignal(9)
  process.stdout.write('ready')
  setInterval(() => undefined, 1000)
} else {
  const child = spawn(process.execPath, [import.meta.filename, 'child'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  await once(child.stdout, 'data')
  writeSync(1, String(child.pid))
  process.kill(process.pid, 'SIGKILL')
}
