import { Global, Inode, Phase, Process, Registration, type Layout } from './layout.js'
import { State } from './state.js'

/** What in the normal form stands for what in the state it was made from. */
export interface Renaming {
  /** By process. */
  readonly processes: Uint8Array
  /** By registration, from 1. */
  readonly registrations: Uint8Array
  /** Inodes A and B have changed places, and with them files X and Y. */
  exchanged: boolean
}

/**
 * Brings a state to the form under which it is looked up, so that states that differ in names only are explored
 * once. Processes are alike, so are RELEASEs; registrations have numbers nobody but the server and the kernel
 * compare for equality; and two inodes with their files may change places. Forms may differ where a tie between
 * processes is broken otherwise: then a state is explored twice, which costs time only.
 *
 * A registration that neither the kernel's inodes nor the server nor a reply mention is gone, or, if its id is
 * open, counted as leaked: nobody can name it again. In a journal with numbered ids it can be found by its number.
 */
export class NormalForm {
  readonly renaming: Renaming
  readonly #layout: Layout
  readonly #remembers: boolean
  readonly #other: Uint8Array
  readonly #spare: Renaming
  readonly #order: Int32Array
  readonly #result: readonly [State, State]

  constructor(layout: Layout, remembers: boolean) {
    this.#layout = layout
    this.#remembers = remembers
    this.#other = new Uint8Array(layout.bytes)
    this.#result = [new State(layout.bytes), new State(layout.bytes)]
    this.renaming = this.#newRenaming()
    this.#spare = this.#newRenaming()
    this.#order = new Int32Array(layout.processes)
  }

  /** The normal form of a state, which is left as it is; valid until the next call. `renaming` tells what is what. */
  of(state: Uint8Array): State {
    const [plain, turned] = this.#result
    this.#write(state, plain.bytes, this.renaming)
    this.renaming.exchanged = false
    if (this.#layout.inodes === 1) return plain
    this.#turn(state, this.#other)
    this.#write(this.#other, turned.bytes, this.#spare)
    if (!isSmaller(turned.words, plain.words)) return plain
    this.renaming.processes.set(this.#spare.processes)
    this.renaming.registrations.set(this.#spare.registrations)
    this.renaming.exchanged = true
    return turned
  }

  #newRenaming(): Renaming {
    const { processes, registrations } = this.#layout
    return {
      processes: new Uint8Array(processes),
      registrations: new Uint8Array(registrations + 1),
      exchanged: false,
    }
  }

  #write(from: Uint8Array, to: Uint8Array, renaming: Renaming): void {
    const layout = this.#layout
    const { registrations } = renaming
    registrations.fill(0)
    let named = 0
    to.fill(0, layout.registrationsAt)
    for (let at = 0; at < Global.closing; at++) to[at] = from[at]!

    /** The new number of a registration, given in the order in which they are come upon. */
    const rename = (id: number): number => {
      if (id === 0) return 0
      const place = layout.registrationsAt - 1
      for (let known = 1; known <= named; known++) if (registrations[known] === id) return known
      registrations[++named] = id
      to[place + named] = from[place + id]!
      return named
    }

    for (let inode = 0; inode < layout.inodes; inode++) {
      const at = layout.inode(inode)
      to[at + Inode.count] = from[at + Inode.count]!
      to[at + Inode.backing] = rename(from[at + Inode.backing]!)
      to[at + Inode.id] = rename(from[at + Inode.id]!)
      to[at + Inode.former] = rename(from[at + Inode.former]!)
      to[at + Inode.handles] = from[at + Inode.handles]!
      to[at + Inode.ofThisLife] = from[at + Inode.ofThisLife]!
      to[at + Inode.written] = from[at + Inode.written]!
    }
    to[Global.closing] = rename(from[Global.closing]!)
    to[Global.closingFormer] = rename(from[Global.closingFormer]!)
    this.#orderProcesses(from, renaming.processes)
    for (let process = 0; process < layout.processes; process++) {
      const source = layout.process(renaming.processes[process]!)
      const target = layout.process(process)
      to[target + Process.phase] = from[source + Process.phase]!
      to[target + Process.steps] = from[source + Process.steps]!
      to[target + Process.inode] = from[source + Process.inode]!
      to[target + Process.registration] = rename(from[source + Process.registration]!)
      to[target + Process.file] = from[source + Process.file]!
      to[target + Process.known] = from[source + Process.known]!
      to[target + Process.mapping] = from[source + Process.mapping]!
      to[target + Process.mappedInode] = from[source + Process.mappedInode]!
    }
    this.#writeReleases(from, to, rename)
    for (let id = 1; id <= layout.registrations; id++) {
      if ((from[layout.registration(id)]! & Registration.idOpen) === 0) continue
      let known = named
      while (known > 0 && registrations[known] !== id) known--
      if (known === 0) to[this.#remembers ? Global.lost : Global.leaked] = 1
    }
  }

  #orderProcesses(state: Uint8Array, order: Uint8Array): void {
    const layout = this.#layout
    const keys = this.#order
    for (let process = 0; process < layout.processes; process++) {
      const at = layout.process(process)
      const registration = state[at + Process.registration]!
      const nature = registration === 0 ? 0 : state[layout.registration(registration)]!
      const phase = state[at + Process.phase]!
      // An ordered tie: who has the registration that the inode has comes first.
      const backs =
        registration !== 0 && state[layout.inode(state[at + Process.inode]!) + Inode.backing] === registration
      let key = phase
      key = key * 2 + state[at + Process.inode]!
      key = key * 2 + state[at + Process.file]!
      key = key * 2 + state[at + Process.known]!
      key = key * 8 + nature
      key = key * 2 + (backs ? 1 : 0)
      key = key * 16 + state[at + Process.steps]!
      key = key * 4 + state[at + Process.mapping]!
      key = key * 2 + state[at + Process.mappedInode]!
      let place = process
      for (; place > 0 && keys[place - 1]! < key; place--) {
        keys[place] = keys[place - 1]!
        order[place] = order[place - 1]!
      }
      keys[place] = key
      order[place] = process
    }
  }

  #writeReleases(from: Uint8Array, to: Uint8Array, rename: (id: number) => number): void {
    const layout = this.#layout
    let count = 0
    for (let place = 0; place < layout.releases; place++) {
      const release = from[layout.releasesAt + place]!
      if (release === 0) continue
      const renamed = (release & 15) | (rename(release >> 4) << 4)
      let at = layout.releasesAt + count++
      for (; at > layout.releasesAt && to[at - 1]! < renamed; at--) to[at] = to[at - 1]!
      to[at] = renamed
    }
  }

  /** Inodes and files change places: each name leads where it led before. */
  #turn(from: Uint8Array, to: Uint8Array): void {
    const layout = this.#layout
    to.set(from)
    const [a, b] = [layout.inode(0), layout.inode(1)]
    to.copyWithin(a, b, b + (b - a))
    for (let field = 0; field < b - a; field++) to[b + field] = from[a + field]!
    for (const inode of [a, b]) to[inode + Inode.written] = turnFile(to[inode + Inode.written]!)
    for (let process = 0; process < layout.processes; process++) {
      const at = layout.process(process)
      const phase = from[at + Process.phase]!
      if (phase !== Phase.idle) to[at + Process.inode]! ^= 1
      if (phase === Phase.open) to[at + Process.file]! ^= 1
      if (from[at + Process.mapping] === 0) continue
      to[at + Process.mapping] = turnFile(from[at + Process.mapping]!)
      to[at + Process.mappedInode]! ^= 1
    }
    for (let id = 1; id <= layout.registrations; id++) {
      const at = layout.registration(id)
      if (from[at] !== 0) to[at] = from[at]! ^ Registration.file
    }
    for (let place = layout.releasesAt; place < layout.releasesAt + layout.releases; place++) {
      if (from[place] !== 0) to[place] = from[place]! ^ 4
    }
  }
}

/** Of a file plus 1, where 0 is none. */
const turnFile = (file: number): number => (file === 0 ? 0 : 3 - file)

function isSmaller(one: Uint32Array, other: Uint32Array): boolean {
  for (let at = 0; at < one.length; at++) {
    if (one[at] !== other[at]) return one[at]! < other[at]!
  }
  return false
}
