// Mounts the file system of a module under a supervisor: node launch-module.mjs {"mountPoint", "module", "options"}.
import { probe } from '../../dist/passthrough/probe.js'
import { launch } from '../../dist/recovery/launch.js'
import { wantedCapabilities } from '../../dist/session/wanted.js'

const { mountPoint, module, options } = JSON.parse(process.argv[2])
const supervisorPid = await launch({
  mountPoint,
  description: `test of ${module}`,
  mountOptions: { defaultPermissions: true, fsname: 'test' },
  capabilities: await probe(),
  settings: {
    fileSystem: { module, options },
    wanted: wantedCapabilities({ passthrough: false, maxStackDepth: 1, defaultPermissions: true }),
    timeouts: { entry: 0, attributes: 0 },
    strategy: 'journal',
  },
})
console.log(JSON.stringify({ supervisorPid }))
