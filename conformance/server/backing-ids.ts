import { closeSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { errnoName } from '../../src/errors/errno.js'
import type { Transport } from '../../src/transport/transport.js'
import type { BackingChoice, OpenAnswer } from '../scenario.js'
import type { Surroundings } from './scripted-server.js'
import { nodeIdOf, type ServerState, type TreeNode } from './tree.js'

/** What a registration is asked for with, where that is not as usual. */
export interface RegisterOptions {
  readonly label?: string
  readonly flags?: number
  readonly padding?: number
  /** Without CAP_SYS_ADMIN in effect. */
  readonly unprivileged?: boolean
  /** The file is opened with O_PATH. */
  readonly path?: boolean
}

/** Registrations that the transport interface has no words for. */
export interface Registrar {
  register(device: Transport, fd: number, options: RegisterOptions): number
  closeAll(device: Transport): number
}

const CLOSED_DESCRIPTOR = 1_000_000
const O_PATH = 0o10000000

/** The backing ids that the server has registered, and those that its answers name. */
export class BackingIds {
  readonly #state: ServerState
  readonly #around: Surroundings
  readonly #device: () => Transport

  constructor(state: ServerState, around: Surroundings, device: () => Transport) {
    this.#state = state
    this.#around = around
    this.#device = device
  }

  /** The id that goes into the answer to an open of `node`. */
  forAnswer(node: TreeNode, { backing = 'none' }: OpenAnswer): number {
    if (backing === 'none') return 0
    if (typeof backing === 'number') return backing
    if (typeof backing === 'object') return this.#state.labels[backing.label] ?? 0
    if (backing === 'kept' && this.#state.kept[node.id] !== undefined) return this.#state.kept[node.id]!
    const file = backing === 'other' ? this.#otherThan(node) : node
    const id = this.#registerContent(file)
    this.#around.log({ opcode: '(register)', nodeid: node.id, result: id < 0 ? nameOf(id) : id })
    if (id <= 0) return 0
    this.#state.kept[node.id] = id
    return id
  }

  /** The id that a step names. */
  named(choice: BackingChoice, path: string | undefined): number {
    if (typeof choice === 'number') return choice
    if (typeof choice === 'object') return this.#state.labels[choice.label] ?? 0
    return path === undefined ? 0 : (this.#state.kept[nodeIdOf(this.#state, path)] ?? 0)
  }

  /**
   * Carries out a `register` step: the id, or an errno by name. `what` is a path of the tree, an absolute one of the
   * machine, `@stacked`, `directory` or `closed`.
   */
  register(what: string, options: RegisterOptions): number | { errno: string } {
    const fd = this.#open(what, options)
    const usual =
      options.flags === undefined && options.padding === undefined && options.unprivileged !== true
    const device = this.#device()
    const id = usual ? device.backingOpen(fd) : this.#around.registrar.register(device, fd, options)
    if (fd !== CLOSED_DESCRIPTOR) closeSync(fd)
    if (id > 0 && options.label !== undefined) this.#state.labels[options.label] = id
    this.#around.save(this.#state)
    return id < 0 ? { errno: nameOf(id) } : id
  }

  #open(what: string, options: RegisterOptions): number {
    if (what === 'closed') return CLOSED_DESCRIPTOR
    if (what === 'directory') return openSync(this.#around.directory, 'r')
    if (what === '@stacked') return openSync(this.#around.stackedFile ?? '', 'r')
    if (what.startsWith('/')) return openSync(what, 'r')
    const node = this.#state.nodes[nodeIdOf(this.#state, what)]!
    return openSync(this.#contentOf(node), options.path === true ? O_PATH : 'r+')
  }

  #registerContent(node: TreeNode): number {
    const fd = openSync(this.#contentOf(node), 'r+')
    try {
      return this.#device().backingOpen(fd)
    } finally {
      closeSync(fd)
    }
  }

  #contentOf(node: TreeNode): string {
    return join(this.#around.directory, node.content ?? '')
  }

  #otherThan(node: TreeNode): TreeNode {
    const { nodes } = this.#state
    const others = Object.values(nodes).filter(({ content, id }) => content !== null && id !== node.id)
    return others[0] ?? node
  }
}

const nameOf = (result: number): string => errnoName(-result) ?? String(result)
