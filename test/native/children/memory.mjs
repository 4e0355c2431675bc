// Writes into the shared memory named by its argument, then kills itself.
import { AT, O, cstring, mapShared, openat } from '../../../dist/native/index.js'

const fd = openat(AT.FDCWD, cstring(process.argv[2]), O.RDWR | O.CLOEXEC)
const view = new Uint8Array(mapShared(fd, 4096))
if (view[0] !== 1) throw new Error('not the same memory')
view[1] = 2
process.kill(process.pid, 'SIGKILL')
