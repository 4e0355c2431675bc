import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { describeFileSystem } from '../contract/file-system.js'
import { MountClient } from '../contract/mount-client.js'
import { MountPlace, mountMirror } from '../support/evermount.js'

const SERVE_MEMORY = fileURLToPath(new URL('../contract/children/serve-memory.mjs', import.meta.url))

const NEEDS = ['root', 'fuse'] as const

describeFileSystem(
  'the memory file system, mounted in process',
  async () => {
    const place = new MountPlace()
    const server = spawn(process.execPath, [SERVE_MEMORY, place.mountPoint], {
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    await once(server.stdout, 'data')
    return new MountClient(place.mountPoint, async () => {
      server.stdin.end()
      if (server.exitCode === null) await once(server, 'exit')
      const { mounted } = place
      await place[Symbol.asyncDispose]()
      if (mounted || server.exitCode !== 0) throw new Error('the server did not end as it should')
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
