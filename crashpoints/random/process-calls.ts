import { lstatSync, readFileSync, readdirSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'
import { FileMode } from '../../src/protocol/linux.js'
import type { Caller } from '../run/caller.js'
import { attributesOf } from '../run/source-listing.js'
import { O } from '../run/open-flags.js'
import type { OpenMode, RandomCall } from './call.js'
import type { Result } from './model-files.js'

const FLAGS: Readonly<Record<OpenMode, number>> = {
  read: O.RDONLY,
  update: O.RDWR,
  create: O.RDWR | O.CREAT,
  exclusive: O.RDWR | O.CREAT | O.EXCL,
  truncate: O.RDWR | O.TRUNC,
  append: O.WRONLY | O.APPEND,
}
const XATTR = 'user.a'
const LENGTH = 64
/** Where nothing has been written, zeroes are. */
const shown = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1').replaceAll('\0', '.')

/** Makes random calls as a process. */
export class RandomProcess {
  readonly #process: Caller
  readonly #fds = new Map<number, number>()

  constructor(process: Caller) {
    this.#process = process
  }

  async make(call: RandomCall): Promise<Result> {
    try {
      return (await this.#make(call)) ?? 'done'
    } catch (error) {
      const { code } = error as { code?: string }
      if (code === undefined) throw error
      return code
    }
  }

  exit(): Promise<void> {
    return this.#process.exit()
  }

  async #make(call: RandomCall): Promise<Result | undefined> {
    const process = this.#process
    switch (call.name) {
      case 'open':
        if (this.#fds.has(call.file)) return 'in use'
        this.#fds.set(call.file, await process.open(call.path, FLAGS[call.mode], 0o644))
        return undefined
      case 'close': {
        const fd = this.#fd(call.file)
        this.#fds.delete(call.file)
        await process.close(fd)
        return undefined
      }
      case 'read':
        return `read ${shown(await process.pread(this.#fd(call.file), LENGTH, 0))}`
      case 'write': {
        const data = Buffer.from(call.data, 'latin1')
        return `wrote ${await process.pwrite(this.#fd(call.file), data, call.at)}`
      }
      case 'ftruncate':
        await process.ftruncate(this.#fd(call.file), call.size)
        return undefined
      case 'mkdir':
        await process.mkdir(call.path)
        return undefined
      case 'symlink':
        await process.symlink('nowhere', call.path)
        return undefined
      case 'readlink':
        return `link ${shown(await process.readlink(call.path))}`
      case 'rmdir':
        await process.rmdir(call.path)
        return undefined
      case 'unlink':
      case 'unlinkLink':
        await process.unlink(call.path)
        return undefined
      case 'stat':
        return this.#stat(call.path)
      case 'readdir': {
        const names = (await process.readdir(call.path)).map(({ name }) => shown(name))
        return `names ${names
          .filter((name) => name !== '.' && name !== '..')
          .sort()
          .join()}`
      }
      case 'rename':
        await process.rename(call.path, call.to, call.flags)
        return undefined
      case 'link':
        await process.link(call.path, call.to)
        return undefined
      case 'chmod':
        await process.chmod(call.path, call.mode)
        return undefined
      case 'setxattr':
        await process.setxattr(call.path, XATTR, Buffer.from(call.value, 'latin1'), call.flags)
        return undefined
      case 'getxattr': {
        const value = await process.getxattr(call.path, XATTR)
        return `value ${typeof value === 'number' ? value : shown(value)}`
      }
      case 'removexattr':
        await process.removexattr(call.path, XATTR)
        return undefined
    }
  }

  async #stat(path: string): Promise<Result> {
    const { mode, nlink, size } = await this.#process.lstat(path)
    const permissions = (mode & 0o7777).toString(8)
    const isFile = (mode & FileMode.IFMT) === FileMode.IFREG
    return isFile ? `file ${permissions} links ${nlink} size ${size}` : `directory ${permissions}`
  }

  #fd(file: number): number {
    return this.#fds.get(file) ?? -1
  }
}

/** A directory in the form of ModelFiles.listing. */
export function randomListing(root: string): string[] {
  const lines: string[] = []
  const numbers = new Map<number, number>()
  const paths = (folder: string): string[] =>
    readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
      const path = join(folder, entry.name)
      return entry.isDirectory() ? [path, ...paths(path)] : [path]
    })
  for (const path of paths('.').sort()) {
    const full = join(root, path)
    const stat = lstatSync(full)
    const number = numbers.get(stat.ino) ?? numbers.size
    numbers.set(stat.ino, number)
    const type = stat.isDirectory() ? 'directory' : stat.isSymbolicLink() ? 'link' : 'file'
    const mode = type === 'link' ? '' : (stat.mode & 0o7777).toString(8)
    const data = type === 'file' ? shown(readFileSync(full)) : type === 'link' ? readlinkSync(full) : ''
    const value = attributesOf(full).find((attribute) => attribute.startsWith(`${XATTR}=`))
    const label =
      value === undefined ? '' : Buffer.from(value.slice(XATTR.length + 1), 'hex').toString('latin1')
    lines.push(`${path} #${number} ${type} ${mode} ${data} ${label}`.trimEnd())
  }
  return lines
}
