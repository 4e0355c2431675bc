import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { MemoryFileSystem } from '../../../src/filesystems/memory/memory.js'
import { SeededScheduler } from '../../../src/kernel-model/scheduler.js'
import type { ModelDevice } from '../../../src/kernel-model/connection/device.js'
import { openFlags } from '../../../src/protocol/linux.js'
import { decodeRequest } from '../../../src/protocol/decode-request.js'
import { serveOnModel } from '../../support/model-serving.js'

const O = openFlags('x64')
const RDWR = 2
/** After the header's length and opcode. */
const HEADER = 8

/** Several processes at once on a real session: the order of the requests that it reads. */
async function run(seed: number): Promise<{ readonly opcodes: string; readonly digest: string }> {
  const scheduler = new SeededScheduler(seed)
  const opcodes: string[] = []
  const digest = createHash('sha256')
  const serving = await serveOnModel(new MemoryFileSystem(), {
    kernel: { scheduler },
    wrap: (device: ModelDevice) => {
      const read = device.read.bind(device)
      device.read = (buffer, offset) => {
        const length = read(buffer, offset)
        if (length > HEADER) {
          const bytes = Uint8Array.from(buffer.subarray(offset ?? 0, (offset ?? 0) + length))
          opcodes.push(decodeRequest(bytes).opcode)
          digest.update(bytes)
        }
        return length
      }
      return device
    },
  })
  const work = async (name: string): Promise<void> => {
    const process = serving.mount.process()
    await process.mkdir(name)
    for (let n = 0; n < 3; n++) {
      const fd = await process.open(`${name}/${n}`, RDWR | O.CREAT)
      await process.write(fd, Buffer.from('x'.repeat(5000)))
      await process.close(fd)
    }
    await process.readdir('.')
    await process.exit()
  }
  await Promise.all(['a', 'b', 'c', 'd'].map(work))
  await serving.end()
  return { opcodes: opcodes.join(' '), digest: digest.digest('hex') }
}

describe('a seed', () => {
  it('gives the same run again, byte for byte, and another one another', async () => {
    const [first, again, other] = [await run(1), await run(1), await run(2)]
    expect(again).toEqual(first)
    expect(other.digest).not.toBe(first.digest)
  })
})
