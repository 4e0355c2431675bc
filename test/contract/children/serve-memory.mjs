// Serves the memory file system on a mount point, its argument, until its standard input ends.
import { MemoryFileSystem } from '../../../dist/filesystems/memory/index.js'
import { serve } from '../../../dist/recovery/serve.js'

const [mountPoint] = process.argv.slice(2)
const mount = await serve(new MemoryFileSystem(), { mountPoint, mountOptions: { allowOther: true } })
process.stdout.write('mounted\n')
process.stdin.resume()
process.stdin.once('end', () => void mount.unmount({ lazy: true }))
await mount.ended
process.stdout.write('ended\n')
