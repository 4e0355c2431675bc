// Mounts examples/hello.mjs under a supervisor: node examples/mount-hello.mjs MOUNTPOINT
// Then kill -9 the server that `evermount status MOUNTPOINT` names, and read the file again.
import { checkMountPoint, launch, probe, wantedCapabilities } from 'evermount'

const { path: mountPoint } = await checkMountPoint(process.argv[2])
const supervisor = await launch({
  mountPoint,
  description: 'the hello example',
  mountOptions: { defaultPermissions: true, fsname: 'hello' },
  capabilities: await probe(),
  settings: {
    fileSystem: { module: new URL('./hello.mjs', import.meta.url).href, options: {} },
    wanted: wantedCapabilities({ passthrough: false, maxStackDepth: 1, defaultPermissions: true }),
    timeouts: { entry: 1, attributes: 1 },
    strategy: 'journal',
  },
})
console.log(`${mountPoint} is mounted, supervisor ${supervisor}; evermount unmount ${mountPoint} ends it`)
