import { RenameFlag, XattrFlag } from '../../src/protocol/linux.js'
import type { RandomCall } from './call.js'

/** What a call came to: a value or the code of an error, as text. */
export type Result = string

interface ModelNode {
  readonly type: 'file' | 'directory' | 'link'
  data: string
  mode: number
  label: string | undefined
}

interface ModelOpen {
  readonly node: ModelNode
  readonly reads: boolean
  readonly writes: boolean
  readonly appends: boolean
}

/** A file system as it ought to be: what root's calls come to on Linux, one after another. */
export class ModelFiles {
  #names = new Map<string, ModelNode>()
  /** By process and file. */
  #open = new Map<string, ModelOpen>()

  clone(): ModelFiles {
    const copies = new Map<ModelNode, ModelNode>()
    const copyOf = (node: ModelNode): ModelNode => {
      const copy = copies.get(node) ?? { ...node }
      copies.set(node, copy)
      return copy
    }
    const clone = new ModelFiles()
    for (const [path, node] of this.#names) clone.#names.set(path, copyOf(node))
    for (const [key, open] of this.#open) clone.#open.set(key, { ...open, node: copyOf(open.node) })
    return clone
  }

  /** A line for each name; names of the same file have the same number. */
  listing(): string[] {
    const numbers = new Map<ModelNode, number>()
    return [...this.#names.keys()].sort().map((path) => {
      const node = this.#names.get(path)!
      const number = numbers.get(node) ?? numbers.size
      numbers.set(node, number)
      const mode = node.type === 'link' ? '' : node.mode.toString(8)
      return `${path} #${number} ${node.type} ${mode} ${node.data} ${node.label ?? ''}`.trimEnd()
    })
  }

  /** The same for states that no later call can tell apart. */
  key(): string {
    const numbers = new Map<ModelNode, number>()
    const told = ({ node, ...how }: ModelOpen): unknown => {
      numbers.set(node, numbers.get(node) ?? numbers.size)
      return [
        numbers.get(node),
        node,
        [...this.#names].filter(([, other]) => other === node).map(([path]) => path),
        how,
      ]
    }
    const open = [...this.#open.keys()].sort().map((key) => [key, told(this.#open.get(key)!)])
    return JSON.stringify([this.listing(), open])
  }

  apply(process: number, call: RandomCall): Result {
    try {
      return this.#apply(process, call)
    } catch (error) {
      if (typeof error === 'string') return error
      throw error
    }
  }

  /** The call has been carried out, but the caller was told of an error: it has no file of it. */
  applyUnseen(process: number, call: RandomCall): void {
    const before = new Set(this.#open.keys())
    this.apply(process, call)
    for (const key of this.#open.keys()) if (!before.has(key)) this.#open.delete(key)
  }

  #apply(process: number, call: RandomCall): Result {
    switch (call.name) {
      case 'open':
        return this.#openFile(`${process}:${call.file}`, call.path, call.mode)
      case 'close':
        return this.#open.delete(`${process}:${call.file}`) ? 'done' : 'EBADF'
      case 'read': {
        const open = this.#file(process, call.file)
        if (!open.reads) fail('EBADF')
        if (open.node.type === 'directory') fail('EISDIR')
        return `read ${open.node.data}`
      }
      case 'write': {
        const open = this.#file(process, call.file)
        if (!open.writes) fail('EBADF')
        const { node } = open
        const at = open.appends ? node.data.length : call.at
        const before = node.data.slice(0, at).padEnd(at, '.')
        node.data = before + call.data + node.data.slice(at + call.data.length)
        return `wrote ${call.data.length}`
      }
      case 'ftruncate': {
        const { node, writes } = this.#file(process, call.file)
        if (!writes) fail('EINVAL')
        node.data = node.data.slice(0, call.size).padEnd(call.size, '.')
        return 'done'
      }
      case 'mkdir':
        return this.#make(call.path, 'directory', '', 0o755)
      case 'symlink':
        return this.#make(call.path, 'link', 'nowhere', 0o777)
      case 'readlink':
        return `link ${this.#at(call.path).data}`
      case 'rmdir':
        if (this.#at(call.path).type !== 'directory') fail('ENOTDIR')
        if (this.#below(call.path).length > 0) fail('ENOTEMPTY')
        return this.#remove(call.path)
      case 'unlink':
      case 'unlinkLink':
        if (this.#at(call.path).type === 'directory') fail('EISDIR')
        return this.#remove(call.path)
      case 'stat':
        return this.#stat(this.#at(call.path))
      case 'readdir':
        if (this.#at(call.path).type !== 'directory') fail('ENOTDIR')
        return `names ${this.#below(call.path).sort().join()}`
      case 'rename':
        return this.#rename(call.path, call.to, call.flags)
      case 'link':
        return this.#link(call.path, call.to)
      case 'chmod':
        this.#at(call.path).mode = call.mode
        return 'done'
      case 'setxattr': {
        const node = this.#at(call.path)
        if (call.flags === XattrFlag.CREATE && node.label !== undefined) fail('EEXIST')
        if (call.flags === XattrFlag.REPLACE && node.label === undefined) fail('ENODATA')
        node.label = call.value
        return 'done'
      }
      case 'getxattr':
        return `value ${this.#at(call.path).label ?? fail('ENODATA')}`
      case 'removexattr': {
        const node = this.#at(call.path)
        if (node.label === undefined) fail('ENODATA')
        node.label = undefined
        return 'done'
      }
    }
  }

  #openFile(key: string, path: string, mode: string): Result {
    if (this.#open.has(key)) return 'in use'
    this.#checkParent(path)
    let node = this.#names.get(path)
    const makes = mode === 'create' || mode === 'exclusive'
    if (node === undefined) {
      if (!makes) fail('ENOENT')
      node = { type: 'file', data: '', mode: 0o644, label: undefined }
      this.#names.set(path, node)
    } else if (mode === 'exclusive') fail('EEXIST')
    else if (node.type === 'directory' && mode !== 'read') fail('EISDIR')
    if (mode === 'truncate') node.data = ''
    const appends = mode === 'append'
    this.#open.set(key, { node, reads: !appends, writes: mode !== 'read', appends })
    return 'done'
  }

  #file(process: number, file: number): ModelOpen {
    return this.#open.get(`${process}:${file}`) ?? fail('EBADF')
  }

  #make(path: string, type: ModelNode['type'], data: string, mode: number): Result {
    this.#checkParent(path)
    if (this.#names.has(path)) fail('EEXIST')
    this.#names.set(path, { type, data, mode, label: undefined })
    return 'done'
  }

  #rename(path: string, to: string, flags: number): Result {
    this.#checkParent(path)
    this.#checkParent(to)
    const source = this.#names.get(path) ?? fail('ENOENT')
    const target = this.#names.get(to)
    if (flags === RenameFlag.NOREPLACE && target !== undefined) fail('EEXIST')
    if (flags === RenameFlag.EXCHANGE && target === undefined) fail('ENOENT')
    if (to.startsWith(`${path}/`)) fail('EINVAL')
    if (path.startsWith(`${to}/`)) fail(flags === RenameFlag.EXCHANGE ? 'EINVAL' : 'ENOTEMPTY')
    if (source === target) return 'done'
    if (flags === RenameFlag.EXCHANGE) return this.#exchange(path, to)
    if (target !== undefined) {
      const isDirectory = target.type === 'directory'
      if (source.type === 'directory' && !isDirectory) fail('ENOTDIR')
      if (source.type !== 'directory' && isDirectory) fail('EISDIR')
      if (isDirectory && this.#below(to).length > 0) fail('ENOTEMPTY')
    }
    this.#move(path, to)
    return 'done'
  }

  #exchange(path: string, to: string): Result {
    this.#move(path, 'aside')
    this.#move(to, path)
    this.#move('aside', to)
    return 'done'
  }

  #move(path: string, to: string): void {
    this.#names.set(to, this.#names.get(path)!)
    this.#names.delete(path)
    for (const name of this.#below(path)) this.#move(`${path}/${name}`, `${to}/${name}`)
  }

  #link(path: string, to: string): Result {
    const node = this.#at(path)
    this.#checkParent(to)
    if (this.#names.has(to)) fail('EEXIST')
    if (node.type === 'directory') fail('EPERM')
    this.#names.set(to, node)
    return 'done'
  }

  #remove(path: string): Result {
    this.#names.delete(path)
    return 'done'
  }

  #stat(node: ModelNode): Result {
    if (node.type !== 'file') return `${node.type} ${node.mode.toString(8)}`
    const links = [...this.#names.values()].filter((other) => other === node).length
    return `file ${node.mode.toString(8)} links ${links} size ${node.data.length}`
  }

  #at(path: string): ModelNode {
    this.#checkParent(path)
    return this.#names.get(path) ?? fail('ENOENT')
  }

  #checkParent(path: string): void {
    const slash = path.indexOf('/')
    if (slash < 0) return
    const parent = this.#names.get(path.slice(0, slash)) ?? fail('ENOENT')
    if (parent.type !== 'directory') fail('ENOTDIR')
  }

  #below(path: string): string[] {
    const prefix = `${path}/`
    return [...this.#names.keys()]
      .filter((name) => name.startsWith(prefix))
      .map((name) => name.slice(prefix.length))
  }
}

function fail(code: string): never {
  // eslint-disable-next-line @typescript-eslint/only-throw-error -- caught by apply
  throw code
}
