import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { MemoryFileSystem } from '../../src/filesystems/memory/memory.js'
import { Mirror } from '../../src/filesystems/mirror/mirror.js'
import { LocalFiles } from '../../src/kernel-model/host/local-files.js'
import { describeFileSystem } from '../contract/file-system.js'
import { ModelClient } from '../contract/model-client.js'
import { serveOnModel } from '../support/model-serving.js'

describeFileSystem('the memory file system, on the modelled kernel', async () => {
  const serving = await serveOnModel(new MemoryFileSystem())
  return new ModelClient(serving.mount.process({ umask: 0 }), () => serving.end())
})

for (const passthrough of [true, false]) {
  describeFileSystem(
    `the mirror, ${passthrough ? 'with' : 'without'} passthrough, on the modelled kernel`,
    async () => {
      const source = mkdtempSync(join(tmpdir(), 'evermount-model-'))
      const serving = await serveOnModel(new Mirror({ source, passthrough }), {
        kernel: { host: new LocalFiles() },
      })
      return new ModelClient(serving.mount.process({ umask: 0 }), async () => {
        await serving.end()
        rmSync(source, { recursive: true })
      })
    },
  )
}
