// Mounts examples/notes.mjs under a supervisor: node examples/mount-notes.mjs DIRECTORY MOUNTPOINT
// Then write files there while you kill -9 the server that `evermount status MOUNTPOINT` names.
import { resolve } from 'node:path'
import { checkMountPoint, launch, probe, wantedCapabilities } from 'evermount'

const directory = resolve(process.argv[2])
const { path: mountPoint } = await checkMountPoint(process.argv[3])
const supervisor = await launch({
  mountPoint,
  description: `notes in ${directory}`,
  mountOptions: { defaultPermissions: true, fsname: 'notes' },
  capabilities: await probe(),
  settings: {
    fileSystem: { module: new URL('./notes.mjs', import.meta.url).href, options: { directory } },
    wanted: wantedCapabilities({ passthrough: false, maxStackDepth: 1, defaultPermissions: true }),
    timeouts: { entry: 1, attributes: 1 },
    strategy: 'journal',
  },
})
console.log(`${mountPoint} is mounted, supervisor ${supervisor}; evermount unmount ${mountPoint} ends it`)
