// Makes the calls that it is told, one JSON array a line, below a directory: node mount-client.mjs BASE.
import * as fs from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { errnoName } from '../../dist/errors/index.js'
import * as native from '../../dist/native/index.js'

const root = process.argv[2]
let base = root
const { AT, O, cstring } = native
const open = new Map()
const at = (path) => join(base, path)
const path = (name) => cstring(at(name))
const text = (bytes) => Buffer.from(bytes).toString('latin1')

/** The value of a system call that says -errno when it fails. */
function checked(result) {
  if (result < 0) throw Object.assign(new Error('failed'), { code: errnoName(-Number(result)) })
  return Number(result)
}

function withPath(name, action) {
  const fd = checked(native.openat(AT.FDCWD, path(name), O.PATH | O.NOFOLLOW | O.CLOEXEC))
  try {
    return action(fd)
  } finally {
    native.close(fd)
  }
}

function described(stat) {
  const { mode, nlink, size, uid, gid } = stat
  return { mode: mode.toString(8), nlink, uid, gid, size: stat.isDirectory() ? 0 : size }
}

function entries(fd, bytes, most) {
  const buffer = new Uint8Array(bytes)
  const names = []
  while (names.length < most) {
    const length = checked(native.getdents64(fd, buffer))
    if (length === 0) break
    for (const { name } of native.dirents(buffer, length)) names.push(text(name))
  }
  return names
}

const calls = {
  ping: () => process.pid,
  /** All paths from now on begin there. */
  within: (directory) => void (base = join(root, directory)),
  chdir: (name) => process.chdir(at(name)),
  /** What the working directory says of itself. */
  cwd: () => described(fs.statSync('.')),
  cwdEntries: () => fs.readdirSync('.'),
  open: (handle, name, flags, mode = 0o644) => {
    open.set(handle, checked(native.openat(AT.FDCWD, path(name), flags | O.CLOEXEC, mode)))
  },
  close: (handle) => {
    const fd = open.get(handle)
    open.delete(handle)
    checked(native.close(fd))
  },
  read: (handle, offset, length) => {
    const buffer = new Uint8Array(length)
    const count = checked(native.pread(open.get(handle), buffer, 0, length, offset))
    return text(buffer.subarray(0, count))
  },
  write: (handle, data, offset) => {
    const bytes = Buffer.from(data, 'latin1')
    const fd = open.get(handle)
    if (offset === undefined) return checked(native.write(fd, bytes, 0, bytes.length))
    return checked(native.pwrite(fd, bytes, 0, bytes.length, offset))
  },
  fstat: (handle) => described(fs.fstatSync(open.get(handle))),
  stat: (name) => described(fs.lstatSync(at(name))),
  /** Asks for what a plain GETATTR knows, without the birth time. */
  basicStat: (name) => {
    const buffer = new Uint8Array(native.STATX_SIZE)
    checked(native.statx(AT.FDCWD, path(name), AT.SYMLINK_NOFOLLOW, native.StatxMask.BASIC_STATS, buffer))
    return new DataView(buffer.buffer).getUint16(native.StatxOffset.mode, true)
  },
  readFile: (name) => text(fs.readFileSync(at(name))),
  mkdir: (name, mode = 0o755) => void checked(native.mkdirat(AT.FDCWD, path(name), mode)),
  mknod: (name, mode, rdev = 0) => void checked(native.mknodat(AT.FDCWD, path(name), mode, rdev)),
  symlink: (target, name) => void checked(native.symlinkat(cstring(target), AT.FDCWD, path(name))),
  readlink: (name) => fs.readlinkSync(at(name)),
  link: (name, other) => void checked(native.linkat(AT.FDCWD, path(name), AT.FDCWD, path(other), 0)),
  linkHandle: (handle, name) => void checked(native.linkDescriptor(open.get(handle), AT.FDCWD, path(name))),
  unlink: (name) => void checked(native.unlinkat(AT.FDCWD, path(name))),
  rmdir: (name) => void checked(native.unlinkat(AT.FDCWD, path(name), AT.REMOVEDIR)),
  rename: (name, other, flags = 0) =>
    void checked(native.renameat2(AT.FDCWD, path(name), AT.FDCWD, path(other), flags)),
  readdir: (name) => fs.readdirSync(at(name)).sort(),
  /** Entries from an open directory, `bytes` at a time, until there are `most` of them. */
  entries: (handle, bytes, most = Infinity) => entries(open.get(handle), bytes, most ?? Infinity),
  setxattr: (name, key, value, flags = 0) =>
    withPath(name, (fd) => void checked(native.setxattr(fd, cstring(key), Buffer.from(value), flags))),
  getxattr: (name, key) =>
    withPath(name, (fd) => {
      const buffer = new Uint8Array(256)
      return text(buffer.subarray(0, checked(native.getxattr(fd, cstring(key), buffer))))
    }),
  listxattr: (name) =>
    withPath(name, (fd) => {
      const buffer = new Uint8Array(1024)
      return text(buffer.subarray(0, checked(native.listxattr(fd, buffer))))
    }),
  removexattr: (name, key) => withPath(name, (fd) => void checked(native.removexattr(fd, cstring(key)))),
  fsync: (handle) => void checked(native.fsync(open.get(handle))),
  fdatasync: (handle) => void checked(native.fdatasync(open.get(handle))),
  fallocate: (handle, mode, offset, length) =>
    void checked(native.fallocate(open.get(handle), mode, offset, length)),
  seek: (handle, offset, whence) => checked(native.lseek(open.get(handle), offset, whence)),
  copy: (from, offset, to, offsetTo, length) =>
    checked(native.copyFileRange(open.get(from), offset, open.get(to), offsetTo, length)),
  statfs: (name) => {
    const { bsize, type, files } = fs.statfsSync(at(name))
    return { bsize, files: files > 0, fuse: type === 0x65735546 }
  },
  access: (name, mode) => void fs.accessSync(at(name), mode),
  chmod: (name, mode) => fs.chmodSync(at(name), mode),
  chown: (name, uid, gid) => fs.lchownSync(at(name), uid, gid),
  truncate: (name, size) => fs.truncateSync(at(name), size),
  utimes: (name, seconds) => {
    fs.utimesSync(at(name), seconds, seconds)
    return fs.statSync(at(name)).mtimeMs
  },
  /** Opens and closes each of a directory's files in turn, `times` opens in all. */
  openMany: (directory, times) => {
    const names = fs.readdirSync(at(directory))
    for (let turn = 0; turn < times; turn++) {
      fs.closeSync(fs.openSync(join(at(directory), names[turn % names.length]), turn % 2 === 0 ? 'r' : 'r+'))
    }
  },
  /** Opens each of a directory's files and keeps it; reads a byte of each. */
  holdAll: (directory) => {
    const byte = Buffer.alloc(1)
    let read = 0
    for (const name of fs.readdirSync(at(directory))) {
      const fd = fs.openSync(join(at(directory), name), 'r')
      open.set(`held ${name}`, fd)
      read += fs.readSync(fd, byte, 0, 1, 0)
    }
    return read
  },
  removeAll: (directory) => {
    for (const name of fs.readdirSync(at(directory))) fs.unlinkSync(join(at(directory), name))
  },
  /** Reads what holdAll holds, whole; how many say what they should. */
  readHeld: () => {
    let right = 0
    for (const [name, fd] of open) {
      const expected = `data of ${name.replace('held file-', '')}`
      const bytes = Buffer.alloc(expected.length + 1)
      const length = fs.readSync(fd, bytes, 0, bytes.length, 0)
      if (bytes.toString('latin1', 0, length) === expected) right++
    }
    return right
  },
  closeAll: () => {
    for (const fd of open.values()) fs.closeSync(fd)
    open.clear()
  },
  /** Looks at all there is. */
  walk: (directory) => {
    let count = 0
    for (const name of fs.readdirSync(at(directory))) {
      fs.lstatSync(join(at(directory), name))
      count++
    }
    return count
  },
  /** Appends numbered lines through one descriptor for so long; how many. */
  appendFor: (name, milliseconds) => {
    const fd = fs.openSync(at(name), 'a')
    const until = performance.now() + milliseconds
    let lines = 0
    while (performance.now() < until) fs.writeSync(fd, `${String(lines++).padStart(9, '0')}\n`)
    fs.closeSync(fd)
    return lines
  },
}

for await (const line of createInterface({ input: process.stdin })) {
  const [name, ...given] = JSON.parse(line)
  let outcome
  try {
    const value = calls[name](...given)
    outcome = value === undefined ? {} : { value }
  } catch (error) {
    // libuv does not know every errno by name.
    outcome = { error: errnoName(-error.errno) ?? error.code ?? String(error) }
  }
  process.stdout.write(`${JSON.stringify(outcome)}\n`)
}
