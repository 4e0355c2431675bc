// Reads and writes on a file that is open: io.mjs FILE write|read|mapped COUNT
import { O, mapShared, mustOpen, named, pread, pwrite, reserve } from './system.mjs'

const [, , path, verb, count] = process.argv
const block = Buffer.alloc(4096, 0x61)
const fd = mustOpen(path, verb === 'read' ? O.RDONLY : O.RDWR | O.CREAT)
let failed = 0
if (verb === 'mapped') {
  reserve(fd, Number(count) * 4096)
  const memory = new Uint8Array(mapShared(fd, Number(count) * 4096))
  for (let turn = 0; turn < Number(count); turn++) memory[turn * 4096 + 7] = turn & 255
}
for (let turn = 0; turn < Number(count); turn++) {
  const at = ((turn * 7919) % Number(count)) * 4096
  if (verb === 'write' && pwrite(fd, block, 0, 4096, at) !== 4096) failed++
  if (verb === 'read' && pread(fd, block, 0, 4096, at) !== 4096) failed++
  if (
    verb === 'mapped' &&
    (named(pread(fd, block, 0, 4096, turn * 4096)) !== 4096 || block[7] !== (turn & 255))
  )
    failed++
}
console.log(failed)
