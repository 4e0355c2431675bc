import { FuseError } from '../errors/fuse-error.js'
import type { Backing, IoMode } from '../kernel-model/io-mode.js'
import { COUNT_BIAS, Inode, Phase, Process, Registration, type Layout } from './layout.js'

/** A state as its parts: what the kernel's and the server's steps read and change it through. */
export class StateView {
  readonly layout: Layout
  bytes: Uint8Array = new Uint8Array()
  /** By registration and file. */
  readonly #backings: readonly [Backing, Backing][]

  constructor(layout: Layout) {
    this.layout = layout
    this.#backings = Array.from({ length: layout.registrations + 1 }, (_, registration) => [
      { registration, inode: 0 },
      { registration, inode: 1 },
    ])
  }

  register(file: number): number {
    const { layout } = this
    for (let id = 1; id <= layout.registrations; id++) {
      const at = layout.registration(id)
      if (this.bytes[at] !== 0) continue
      this.bytes[at] = Registration.used | (file === 0 ? 0 : Registration.file) | Registration.idOpen
      return id
    }
    throw new FuseError('ERR_USAGE', { problem: 'the configuration is too large: too many registrations' })
  }

  registration(id: number): number {
    return id > 0 && id <= this.layout.registrations ? this.bytes[this.layout.registration(id)]! : 0
  }

  closeId(id: number): void {
    this.bytes[this.layout.registration(id)]! &= ~Registration.idOpen
  }

  fileOfRegistration(id: number): number {
    return (this.registration(id) & Registration.file) === 0 ? 0 : 1
  }

  backing(id: number): Backing {
    return this.#backings[id]![this.fileOfRegistration(id)]!
  }

  ioOf(inode: number): IoMode {
    const backing = this.bytes[inode + Inode.backing]!
    const count = this.bytes[inode + Inode.count]! - COUNT_BIAS
    return { count, backing: backing === 0 ? null : this.backing(backing) }
  }

  setIo(inode: number, { count, backing }: IoMode): void {
    this.bytes[inode + Inode.count] = count + COUNT_BIAS
    this.bytes[inode + Inode.backing] = backing === null ? 0 : backing.registration
  }

  inodeOf(process: number): number {
    return this.layout.inode(this.get(process, Process.inode))
  }

  spend(process: number): void {
    this.bytes[this.layout.process(process) + Process.steps]!--
  }

  toIdle(process: number): void {
    const at = this.layout.process(process)
    const state = this.bytes
    state[at + Process.phase] = Phase.idle
    state[at + Process.inode] = state[at + Process.registration] = 0
    state[at + Process.file] = state[at + Process.known] = 0
  }

  get(process: number, field: number): number {
    return this.bytes[this.layout.process(process) + field]!
  }

  set(process: number, field: number, value: number): void {
    this.bytes[this.layout.process(process) + field] = value
  }
}
