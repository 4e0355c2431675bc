import { describeFileSystem } from '../contract/file-system.js'
import { MountClient } from '../contract/mount-client.js'
import { MountPlace, mountMirror } from '../support/evermount.js'
import { serveMemory } from '../support/serve-memory.js'

const NEEDS = ['root', 'fuse'] as const

describeFileSystem(
  'the memory file system, mounted in process',
  async () => {
    const place = new MountPlace()
    const end = await serveMemory(place.mountPoint)
    return new MountClient(place.mountPoint, async () => {
      const exitCode = await end()
      const { mounted } = place
      await place[Symbol.asyncDispose]()
      if (mounted || exitCode !== 0) throw new Error('the server did not end as it should')
    })
  },
  NEEDS,
)

describeFileSystem(
  'the mirror',
  async () => {
    const mirror = await mountMirror()
    return new MountClient(mirror.mountPoint, () => mirror[Symbol.asyncDispose]())
  },
  NEEDS,
)

describeFileSystem(
  'the mirror without passthrough',
  async () => {
    const mirror = await mountMirror({ args: ['--no-passthrough'] })
    return new MountClient(mirror.mountPoint, () => mirror[Symbol.asyncDispose]())
  },
  NEEDS,
)
