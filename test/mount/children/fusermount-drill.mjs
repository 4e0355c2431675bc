// As a plain user: mounts through fusermount3 in a server of its own, looks, unmounts, and tries what must fail.
// Argument: the mount point. Prints a report as JSON.
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import { attach, mountAt, mountFusermount, unmount } from '../../../dist/mount/index.js'

const mountPoint = process.argv[2]
const guard = setTimeout(() => process.exit(9), 12_000)
const code = (promise) =>
  promise.then(
    () => 'none',
    (error) => error.code,
  )
const fds = () => readdirSync('/proc/self/fd').length

await promisify(execFile)('true') // what Node opens for its first child stays open
const before = fds()
const server = spawn(
  process.execPath,
  [new URL('./server.mjs', import.meta.url).pathname, 'fusermount', mountPoint],
  {
    stdio: ['ignore', 'pipe', 'inherit'],
  },
)
const lines = createInterface({ input: server.stdout })[Symbol.asyncIterator]()
const first = JSON.parse((await lines.next()).value)
if (first.message !== undefined) throw new Error(first.message)
const entry = mountAt(mountPoint)
const { stdout } = await promisify(execFile)('stat', ['-f', '-c', '%l', mountPoint], { timeout: 5000 })
await unmount(mountPoint)
const ended = JSON.parse((await lines.next()).value)
if (server.exitCode === null) await once(server, 'exit')
const afterwards = mountAt(mountPoint)?.type ?? 'none'
const again = await code(unmount(mountPoint, { lazy: true }))
const allowOther = await attach(mountPoint, { allowOther: true }).then(
  () => ({ code: 'none' }),
  ({ code, remedy }) => ({ code, remedy }),
)
const path = process.env.PATH
process.env.PATH = '/nonexistent'
const missingProgram = await code(mountFusermount(mountPoint))
process.env.PATH = path
await new Promise((resolve) => setTimeout(resolve, 50))
clearTimeout(guard)
console.log(
  JSON.stringify({
    type: entry?.type,
    userId: entry?.superOptions.find((option) => option.startsWith('user_id=')),
    nameLength: Number(stdout),
    afterwards,
    ended,
    again,
    missingProgram,
    allowOther,
    fdsLeft: fds() - before,
  }),
)
