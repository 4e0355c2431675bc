// Tests examples/hello.mjs on a kernel in memory, without root or /dev/fuse: node examples/test-with-model.mjs
import assert from 'node:assert/strict'
import { Journal, PrivateMemory, Session, strategies, wantedCapabilities } from 'evermount'
import { Kernel } from 'evermount/testing'
import { createFileSystem } from './hello.mjs'

/** A server: reads requests from the device until it is killed, or the mount ends. */
async function startServer(device, memory) {
  const session = new Session({
    transport: device,
    journal: Journal.open(memory),
    fs: createFileSystem(),
    keeper: { keep: () => false, take: () => -1, drop() {} },
    timeouts: { entry: 0, attributes: 0 },
    wanted: wantedCapabilities({ passthrough: false, maxStackDepth: 1, defaultPermissions: true }),
    strategy: strategies.journal,
  })
  await session.prepare()
  session.takeOver()
  session.run().catch((error) => assert(device.life.isKilled, error))
}

const mount = new Kernel().mount({ defaultPermissions: true })
let memory = new PrivateMemory()
Journal.create(memory)
let diesAt
const device = mount.open({ step: (call) => call === diesAt && kill() })
const held = device.hold() // as the supervisor does: the connection outlives the server
await startServer(device, memory)

const app = mount.process({ uid: 0, gid: 0 })
assert.deepEqual(await names('/'), ['hello'])
await assert.rejects(app.stat('/other'), { code: 'ENOENT', syscall: 'stat' })
const fd = await app.open('/hello', 0)

diesAt = 'write' // it reads the next request, and dies before it has written the answer
const reading = app.pread(fd, 5, 7)
await new Promise((resolve) => device.life.atDeath(resolve))
assert.equal(mount.connection.waiting, 1)
await startServer(held.open(), memory)
assert.equal(String(Buffer.from(await reading)), 'whoev')
console.log('a file was read over the death of its server')
await mount.unmount()

/** What the server may still write, while its stack unwinds, no successor shall see. */
function kill() {
  memory = memory.copy()
  device.kill()
}

async function names(path) {
  return (await app.readdir(path)).map(({ name }) => String(Buffer.from(name)))
}
