import { spawn, type ChildProcessByStdio } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import type { Client, ClientStat, HeldFile } from './client.js'

const CHILD = fileURLToPath(new URL('./children/client.mjs', import.meta.url))

/** Uses a mount from a process of its own; `end` is called when it has ended. */
export class MountClient implements Client {
  readonly #child: ChildProcessByStdio<Writable, Readable, null>
  readonly #waiting = new Map<number, (answer: [number, string | null, unknown]) => void>()
  readonly #end: () => Promise<void>
  #lastId = 0

  constructor(mountPoint: string, end: () => Promise<void>) {
    this.#end = end
    this.#child = spawn(process.execPath, [CHILD, mountPoint], { stdio: ['pipe', 'pipe', 'inherit'] })
    createInterface({ input: this.#child.stdout }).on('line', (line) => {
      const answer = JSON.parse(line) as [number, string | null, unknown]
      this.#waiting.get(answer[0])?.(answer)
      this.#waiting.delete(answer[0])
    })
  }

  async stat(path: string): Promise<ClientStat> {
    const stat = (await this.#call('stat', path)) as Omit<ClientStat, 'mtimeNs'> & { mtimeNs: string }
    return { ...stat, mtimeNs: BigInt(stat.mtimeNs) }
  }

  list = (path: string): Promise<string[]> => this.#call('list', path) as Promise<string[]>
  mkdir = (...args: unknown[]): Promise<void> => this.#do('mkdir', ...args)
  rmdir = (...args: unknown[]): Promise<void> => this.#do('rmdir', ...args)
  unlink = (...args: unknown[]): Promise<void> => this.#do('unlink', ...args)
  rename = (...args: unknown[]): Promise<void> => this.#do('rename', ...args)
  link = (...args: unknown[]): Promise<void> => this.#do('link', ...args)
  symlink = (...args: unknown[]): Promise<void> => this.#do('symlink', ...args)
  readlink = (path: string): Promise<string> => this.#call('readlink', path) as Promise<string>
  create = (...args: unknown[]): Promise<void> => this.#do('create', ...args)
  read = (path: string): Promise<string> => this.#call('read', path) as Promise<string>
  write = (...args: unknown[]): Promise<void> => this.#do('write', ...args)
  truncate = (...args: unknown[]): Promise<void> => this.#do('truncate', ...args)
  chmod = (...args: unknown[]): Promise<void> => this.#do('chmod', ...args)
  utimes = (...args: unknown[]): Promise<void> => this.#do('utimes', ...args)

  async hold(path: string): Promise<HeldFile> {
    const id = await this.#call('hold', path)
    return {
      read: () => this.#call('heldRead', id) as Promise<string>,
      write: (offset, text) => this.#do('heldWrite', id, offset, text),
      size: () => this.#call('heldSize', id) as Promise<number>,
      close: () => this.#do('heldClose', id),
    }
  }

  async end(): Promise<void> {
    this.#child.stdin.end()
    if (this.#child.exitCode === null) await once(this.#child, 'exit')
    await this.#end()
  }

  async #do(operation: string, ...args: unknown[]): Promise<void> {
    await this.#call(operation, ...args)
  }

  #call(operation: string, ...args: unknown[]): Promise<unknown> {
    const id = ++this.#lastId
    this.#child.stdin.write(`${JSON.stringify([id, operation, ...args])}\n`)
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, ([, code, result]) => {
        if (code === null) resolve(result)
        else reject(Object.assign(new Error(`${operation}: ${code}`), { code }))
      })
    })
  }
}
