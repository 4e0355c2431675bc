// Mounts an empty directory and serves it until the connection ends. Arguments: how to mount, mount point, -o options.
// Prints one line of JSON when it serves, and one when the connection has ended.
import { writeSync } from 'node:fs'
import { adoptInherited, mountDirect, mountFusermount, parseMountOptions } from '../../../dist/mount/index.js'
import { DeviceTransport } from '../../../dist/transport/index.js'
import { answerTo } from '../../support/fuse-answers.mjs'

const [how, mountPoint, options = ''] = process.argv.slice(2)
const say = (object) => writeSync(1, JSON.stringify(object) + '\n')

async function mount() {
  const parsed = parseMountOptions(options)
  if (how === 'direct') return mountDirect(mountPoint, parsed)
  if (how === 'fusermount') return mountFusermount(mountPoint, parsed)
  return { fd: adoptInherited(how), connection: 0 }
}

try {
  const { fd, connection } = await mount()
  const transport = new DeviceTransport(fd)
  const buffer = new Uint8Array(1 << 18)
  say({ pid: process.pid, connection })
  for (;;) {
    const length = transport.read(buffer)
    if (length < 0) {
      say({ ended: length })
      break
    }
    if (length === 0) {
      await transport.wait()
      continue
    }
    const answer = answerTo(buffer)
    if (answer !== undefined) transport.write(answer, answer.length)
  }
  await transport[Symbol.asyncDispose]()
} catch (error) {
  say({ code: error.code, message: error.message, remedy: error.remedy })
  process.exitCode = 1
}
