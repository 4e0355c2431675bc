// Mounts excluding-mirror.mjs: launch-excluding.mjs SOURCE MOUNTPOINT
import { probe } from '../../../../dist/passthrough/probe.js'
import { chooseStrategy } from '../../../../dist/passthrough/capabilities.js'
import { launch } from '../../../../dist/recovery/launch.js'
import { wantedCapabilities } from '../../../../dist/session/wanted.js'

const [, , source, mountPoint] = process.argv
const capabilities = await probe()
await launch({
  mountPoint,
  description: source,
  mountOptions: { allowOther: true, defaultPermissions: true },
  capabilities,
  settings: {
    fileSystem: {
      module: new URL('./excluding-mirror.mjs', import.meta.url).href,
      options: { source, actAsCaller: true },
    },
    wanted: wantedCapabilities({ passthrough: true, maxStackDepth: 1, defaultPermissions: true }),
    timeouts: { entry: 1, attributes: 1 },
    strategy: chooseStrategy(capabilities).name,
  },
})
