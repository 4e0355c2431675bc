// One file, `hello`, in a mount that outlives its servers. Loaded by each server process; see mount-hello.mjs.
import { fsError } from 'evermount'

const TEXT = Buffer.from('hello, whoever is serving you\n')
const ROOT = Buffer.from('root')
const HELLO = Buffer.from('hello')
const NO_LOCATOR = new Uint8Array(0)

const S_IFDIR = 0o040000
const S_IFREG = 0o100000

class Hello {
  /** Each process makes the same keys: that is all it takes to be found again by a successor. */
  start(host) {
    this.nodes = host.nodes
    this.nodes.addRoot(ROOT, NO_LOCATOR)
  }

  lookup(parent, name) {
    if (!HELLO.equals(name)) throw fsError('ENOENT')
    const node = this.nodes.find(HELLO) || this.nodes.add(HELLO, NO_LOCATOR)
    return { node, attributes: attributesOf(node) }
  }

  getattr(node) {
    return { attributes: attributesOf(node) }
  }

  readdir(node, directory, offset, sink) {
    if (offset === 0) sink.add(HELLO, 2, S_IFREG >> 12, 1)
  }

  read(node, file, { offset, size }, into) {
    const part = TEXT.subarray(Number(offset), Number(offset) + size)
    into.set(part)
    return part.length
  }
}

function attributesOf(node) {
  const root = node === 1
  const time = { atime: 0, mtime: 0, ctime: 0, atimensec: 0, mtimensec: 0, ctimensec: 0 }
  return {
    ...time,
    ino: root ? 1 : 2,
    size: root ? 0 : TEXT.length,
    blocks: 1,
    mode: root ? S_IFDIR | 0o755 : S_IFREG | 0o444,
    nlink: 1,
    uid: 0,
    gid: 0,
    rdev: 0,
    blksize: 4096,
    flags: 0,
  }
}

export const createFileSystem = () => new Hello()
