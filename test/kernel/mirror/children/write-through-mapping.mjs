// Changes the first byte of a file through a mapping: node write-through-mapping.mjs FILE. The mapping goes with the process.
import { AT, O, close, cstring, mapShared, openat } from '../../../../dist/native/index.js'

const fd = openat(AT.FDCWD, cstring(process.argv[2]), O.RDWR)
const mapped = mapShared(fd, 4096, 0)
if (typeof mapped === 'number') throw new Error(`errno ${-mapped}`)
close(fd)
new Uint8Array(mapped)[0] = 0x58
