// Serves a mount through DeviceTransport and tries everything the interface promises. Arguments: the mount point, and
// `end` to only see how the process ends. Prints a report as JSON. Every access to the mount is from further processes.
import { execFile, spawn } from 'node:child_process'
import { closeSync, openSync, readdirSync } from 'node:fs'
import { promisify } from 'node:util'
import { abortConnection, ensureFusectl, mountDirect, unmount } from '../../../dist/mount/index.js'
import { effectiveCapabilities } from '../../../dist/native/index.js'
import { DeviceTransport } from '../../../dist/transport/index.js'
import { answerTo } from '../../support/fuse-answers.mjs'

const [mountPoint, mode] = process.argv.slice(2)
const fds = () => readdirSync('/proc/self/fd').length
const report = {}
ensureFusectl()
// What Node opens once for all: the thread pool, and the means to start processes.
await unmount('/nowhere').catch(() => undefined)
await promisify(execFile)('true')
const before = fds()

const { fd, connection } = mountDirect(mountPoint)
const guard = setTimeout(() => {
  abortConnection(connection)
  process.exit(9)
}, 12_000)
const device = new DeviceTransport(fd)

if (mode === 'end') {
  const buffer = new Uint8Array(1 << 18)
  while (device.read(buffer) === 0) await device.wait()
  device.write(answerTo(buffer), answerTo(buffer).length)
  void device.wait()
  await new Promise((resolve) => setTimeout(resolve, 20))
  process.exit(5)
}

const buffer = new Uint8Array(1 << 18)
const head = new DataView(buffer.buffer)

/** The next request, through one transport. */
async function next(transport) {
  for (;;) {
    const length = transport.read(buffer)
    if (length !== 0) return length
    await transport.wait()
  }
}
const respond = (transport, init) => {
  const answer = answerTo(buffer, init)
  return answer === undefined ? 0 : transport.write(answer, answer.length)
}
const statfs = () =>
  promisify(execFile)('stat', ['-f', '-c', '%l', mountPoint], { timeout: 5000 }).then(({ stdout }) =>
    Number(stdout),
  )

// INIT is there already: a buffer too small is refused and the request is kept.
report.smallBuffer = device.read(buffer, buffer.length - 64)
await next(device)
report.initOpcode = head.getUint32(4, true)
// INIT_EXT in flags; PASSTHROUGH (bit 37) and stacking on one layer
respond(device, { flags: 1 << 30, flags2: 1 << 5, maxStackDepth: 2 })

report.nothingNow = device.read(buffer)
const wait = device.wait()
setTimeout(() => device.wake(), 5)
report.wokenEarly = await Promise.race([
  wait.then(() => true),
  new Promise((resolve) => setTimeout(() => resolve(false), 1000)),
])

// A request read through a clone is answered through the clone; elsewhere nobody waits for it.
const clone = device.clone()
const asked = statfs()
let elsewhere
for (;;) {
  await next(clone)
  if (head.getUint32(4, true) === 17) elsewhere = respond(device)
  respond(clone)
  if (head.getUint32(4, true) === 17) break
}
report.statfsThroughClone = await asked
report.answeredElsewhere = elsewhere

const bad = new Uint8Array(16)
const badView = new DataView(bad.buffer)
badView.setUint32(0, 16, true)
badView.setBigUint64(8, 999_998n, true)
report.unknownAnswer = device.write(bad, 16)
badView.setUint32(0, 17, true)
report.malformedAnswer = device.write(bad, 16)
report.outsideBuffer = device.write(bad, 17)

const invalidate = new Uint8Array(40)
const view = new DataView(invalidate.buffer)
view.setUint32(0, 40, true)
view.setInt32(4, 2, true)
view.setBigUint64(16, 12345n, true)
view.setBigInt64(24, -1n, true)
report.invalidateUnknown = await device.notify(invalidate)
const resend = new Uint8Array(16)
new DataView(resend.buffer).setUint32(0, 16, true)
new DataView(resend.buffer).setInt32(4, 7, true)
report.resends = await Promise.all([device.notify(resend), device.notify(resend), device.notify(resend)])

// A caller that is killed before its request is read leaves nothing to read.
const killed = spawn('stat', ['-f', mountPoint], { stdio: 'ignore' })
await device.wait()
killed.kill('SIGKILL')
await new Promise((resolve) => killed.on('exit', resolve))
report.interruptedAway = device.read(buffer)

const file = openSync(new URL(import.meta.url), 'r')
const directory = openSync('/', 'r')
const capabilities = effectiveCapabilities()
const first = device.backingOpen(file)
report.backing = {
  first,
  second: device.backingOpen(file),
  closed: device.backingClose(first),
  again: device.backingClose(first),
  directory: device.backingOpen(directory),
}
report.capabilitiesKept = capabilities === effectiveCapabilities()
closeSync(file)
closeSync(directory)

const waiting = device.wait()
await unmount(mountPoint)
report.waitEndsWithUnmount = await Promise.race([
  waiting.then(() => true),
  new Promise((resolve) => setTimeout(() => resolve(false), 1000)),
])
let last
while ((last = device.read(buffer)) > 0) respond(device)
report.gone = last
badView.setUint32(0, 16, true)
report.goneForWrites = device.write(bad, 16)

// Closing while a notification is under way waits for it before the number of the descriptor can be used again.
const late = device.notify(resend)
device.close()
device.close()
await late
report.afterClose = await device.notify(resend)
await device[Symbol.asyncDispose]()
await clone[Symbol.asyncDispose]()
clearTimeout(guard)
report.fdsLeft = fds() - before
console.log(JSON.stringify(report))
