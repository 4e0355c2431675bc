// Notes: one directory of files that can be written, in a mount that outlives its servers. It is changed through its
// mount alone, so `reconcile` can tell by the names what a server that died has done. See mount-notes.mjs.
import * as fs from 'node:fs'
import { join } from 'node:path'
import { fsError } from 'evermount'

const ROOT = Buffer.from('root')
const NO_LOCATOR = new Uint8Array(0)
const { O_TRUNC, O_RDONLY, O_RDWR } = fs.constants

class Notes {
  constructor({ directory }) {
    this.directory = directory
  }

  start(host) {
    this.nodes = host.nodes
    this.nodes.addRoot(ROOT, NO_LOCATOR)
  }

  /** Asked for what a server had begun when it died. Writing is not asked for: twice is as good as once. */
  reconcile(change) {
    switch (change.operation) {
      case 'create':
        return fs.existsSync(this.at(change.name)) ? 'done' : 'repeat'
      case 'unlink':
      case 'rename':
        return fs.existsSync(this.at(change.name)) ? 'repeat' : 'done'
      default:
        return 'repeat'
    }
  }

  lookup(parent, name) {
    return this.entry(fs.lstatSync(this.at(name)))
  }

  getattr(node) {
    return { attributes: attributesOf(fs.lstatSync(this.path(node))) }
  }

  setattr(node, { size, mode }) {
    if (size !== undefined) fs.truncateSync(this.path(node), Number(size))
    if (mode !== undefined) fs.chmodSync(this.path(node), mode & 0o777)
    return this.getattr(node)
  }

  readdir(node, directory, offset, sink) {
    const names = fs.readdirSync(this.directory, 'buffer')
    for (let at = Number(offset); at < names.length && sink.add(names[at], 1, 0, at + 1); at++);
  }

  create(parent, name, flags, { mode, umask }) {
    fs.closeSync(fs.openSync(this.at(name), 'wx', mode & ~umask & 0o777))
    return { entry: this.lookup(parent, name), file: undefined }
  }

  open(node, flags) {
    if (flags & O_TRUNC) fs.truncateSync(this.path(node))
    return { file: undefined }
  }

  /** Nothing is kept open, so a successor has nothing to open again. */
  reopen() {}

  read(node, file, { offset, size }, into) {
    return this.withFile(node, O_RDONLY, (fd) => fs.readSync(fd, into, 0, size, Number(offset)))
  }

  write(node, file, { offset, data }) {
    return this.withFile(node, O_RDWR, (fd) => fs.writeSync(fd, data, 0, data.length, Number(offset)))
  }

  unlink(parent, name) {
    fs.unlinkSync(this.at(name))
  }

  rename(parent, name, newParent, newName, flags) {
    if (flags !== 0) throw fsError('EINVAL')
    fs.renameSync(this.at(name), this.at(newName))
  }

  at(name) {
    return join(this.directory, Buffer.from(name).toString())
  }

  /** Where the file of a node is now: its key is the number of its inode. One that was removed is gone. */
  path(node) {
    if (node === 1) return this.directory
    const { identity } = this.nodes.key(this.nodes.slotOf(node))
    const ino = Buffer.from(identity).toString()
    const paths = fs.readdirSync(this.directory).map((name) => join(this.directory, name))
    const found = paths.find((path) => String(fs.lstatSync(path).ino) === ino)
    if (found === undefined) throw fsError('ESTALE')
    return found
  }

  entry(stat) {
    const identity = Buffer.from(String(stat.ino))
    const node = this.nodes.find(identity) || this.nodes.add(identity, NO_LOCATOR)
    return { node, attributes: attributesOf(stat) }
  }

  withFile(node, flags, action) {
    const fd = fs.openSync(this.path(node), flags)
    try {
      return action(fd)
    } finally {
      fs.closeSync(fd)
    }
  }
}

function attributesOf({ ino, size, blocks, mode, nlink, uid, gid, rdev, blksize, ...stat }) {
  const time = (name) => ({
    [name]: Math.floor(stat[`${name}Ms`] / 1000),
    [`${name}nsec`]: Math.floor(stat[`${name}Ms`] % 1000) * 1_000_000,
  })
  const times = { ...time('atime'), ...time('mtime'), ...time('ctime') }
  return { ...times, ino, size, blocks, mode, nlink, uid, gid, rdev, blksize, flags: 0 }
}

export const createFileSystem = (options) => new Notes(options)
