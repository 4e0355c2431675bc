// Mounts a faulty mirror as the command would mount a mirror: node launch-mirror.mjs OPTIONS, see supervised-mirror.ts.
import { probe } from '../../dist/passthrough/probe.js'
import { chooseStrategy } from '../../dist/passthrough/capabilities.js'
import { launch } from '../../dist/recovery/launch.js'
import { wantedCapabilities } from '../../dist/session/wanted.js'

const { source, mountPoint, faults, passthrough, handles, seconds, directIo, stuckAfterMs, journalLimit } =
  JSON.parse(process.argv[2])
const capabilities = await probe()
try {
  const supervisorPid = await launch({
    mountPoint,
    description: `faulty mirror of ${source}`,
    mountOptions: { allowOther: true },
    capabilities,
    settings: {
      fileSystem: {
        module: new URL('./faulty-mirror.mjs', import.meta.url).href,
        options: { faults, mirror: { source, passthrough, handles, directIo, actAsCaller: true } },
      },
      wanted: wantedCapabilities({ passthrough, maxStackDepth: 2, defaultPermissions: true }),
      timeouts: { entry: seconds, attributes: seconds },
      strategy: chooseStrategy(capabilities).name,
    },
    ...(stuckAfterMs === undefined ? {} : { stuckAfterMs }),
    ...(journalLimit === undefined ? {} : { journalLimit }),
  })
  console.log(JSON.stringify({ supervisorPid }))
} catch (error) {
  console.log(JSON.stringify({ problem: error.message }))
}
