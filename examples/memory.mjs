// Mounts an empty file system that lives in this process, until Ctrl-C: node examples/memory.mjs MOUNTPOINT
import { MemoryFileSystem, serve } from 'evermount'

const [mountPoint] = process.argv.slice(2)
if (mountPoint === undefined) {
  console.error('usage: node examples/memory.mjs MOUNTPOINT')
  process.exit(2)
}

const fs = new MemoryFileSystem({ uid: process.getuid(), gid: process.getgid() })
const mount = await serve(fs, { mountPoint, mountOptions: { defaultPermissions: true, fsname: 'memory' } })
console.log(`${mount.mountPoint} is mounted; Ctrl-C unmounts it`)

process.once('SIGINT', () => void mount.unmount({ lazy: true }))
await mount.ended
