// Uses a mount as programs do. Argument: its mount point. Reads a call a line ([id, operation, ...arguments] as JSON) and
// answers each with a line ([id, error code or null, result]). Text stands for bytes, a character each.
import * as fs from 'node:fs/promises'
import { createInterface } from 'node:readline'

const [root] = process.argv.slice(2)
const bytes = (text) => Buffer.from(text, 'latin1')
const at = (path) => Buffer.concat([Buffer.from(`${root}/`), bytes(path)])
const held = new Map()
let lastHeld = 0

async function withFile(path, flags, work) {
  const file = await fs.open(at(path), flags)
  try {
    return await work(file)
  } finally {
    await file.close()
  }
}

/** Not readFile: it may trust a size that has changed. */
async function readAll(file) {
  const { size } = await file.stat()
  const { buffer, bytesRead } = await file.read(Buffer.alloc(size + 1), 0, size + 1, 0)
  return buffer.toString('latin1', 0, bytesRead)
}

const operations = {
  async stat(path) {
    const { ino, mode, nlink, size, mtimeNs } = await fs.lstat(at(path), { bigint: true })
    return {
      ino: Number(ino),
      mode: Number(mode),
      nlink: Number(nlink),
      size: Number(size),
      mtimeNs: String(mtimeNs),
    }
  },
  list: async (path) => (await fs.readdir(at(path), 'buffer')).map((name) => name.toString('latin1')).sort(),
  async mkdir(path, mode = 0o755) {
    await fs.mkdir(at(path), mode)
  },
  rmdir: (path) => fs.rmdir(at(path)),
  unlink: (path) => fs.unlink(at(path)),
  rename: (path, newPath) => fs.rename(at(path), at(newPath)),
  link: (path, newPath) => fs.link(at(path), at(newPath)),
  symlink: (target, path) => fs.symlink(bytes(target), at(path)),
  readlink: async (path) => (await fs.readlink(at(path), 'buffer')).toString('latin1'),
  async create(path, text, mode = 0o644) {
    const file = await fs.open(at(path), 'wx+', mode)
    if (text !== '') await file.write(bytes(text), 0, text.length, 0)
    await file.close()
  },
  read: (path) => withFile(path, 'r', readAll),
  write: (path, offset, text) =>
    withFile(path, 'r+', async (file) => {
      await file.write(bytes(text), 0, text.length, offset)
    }),
  truncate: (path, size) => fs.truncate(at(path), size),
  chmod: (path, mode) => fs.chmod(at(path), mode),
  // As dates: for a negative number Node takes the present time.
  utimes: (path, atime, mtime) => fs.utimes(at(path), new Date(atime * 1000), new Date(mtime * 1000)),
  async hold(path) {
    held.set(++lastHeld, await fs.open(at(path), 'r+'))
    return lastHeld
  },
  heldRead: (id) => readAll(held.get(id)),
  async heldWrite(id, offset, text) {
    await held.get(id).write(bytes(text), 0, text.length, offset)
  },
  heldSize: async (id) => (await held.get(id).stat()).size,
  async heldClose(id) {
    await held.get(id).close()
    held.delete(id)
  },
}

process.umask(0)
for await (const line of createInterface({ input: process.stdin })) {
  const [id, operation, ...args] = JSON.parse(line)
  let answer
  try {
    answer = [id, null, (await operations[operation](...args)) ?? null]
  } catch (error) {
    answer = [id, error.code ?? String(error), null]
  }
  process.stdout.write(`${JSON.stringify(answer)}\n`)
}
