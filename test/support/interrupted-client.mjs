// Asks for the statistics of a mount and says how that ends: node interrupted-client.mjs MOUNTPOINT. SIGUSR2 interrupts.
import { errnoName } from '../../dist/errors/index.js'
import { AT, O, STATFS_SIZE, cstring, fstatfs, openat } from '../../dist/native/index.js'

process.on('SIGUSR2', () => undefined)
const fd = openat(AT.FDCWD, cstring(process.argv[2]), O.PATH | O.CLOEXEC)
const result = fstatfs(fd, new Uint8Array(STATFS_SIZE))
console.log(result < 0 ? errnoName(-result) : 'answered')
