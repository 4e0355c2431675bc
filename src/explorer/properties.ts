import { COUNT_BIAS, Global, Inode, Phase, Process, Registration, type Layout } from './layout.js'
import type { Outcome } from './outcome.js'
import type { Policy } from './policy.js'

/** What must hold in every state that can be reached, or of every step. The last one is not the kernel's concern. */
export const properties = {
  sameFile: 'all opens of an inode read the same backing file',
  noEio: 'no open fails with EIO',
  readBack: 'what was written through an inode is read back through it',
  nothingLeft: 'no registration is left when nothing is open',
  counts: 'reference counts, of kernel and server, are neither negative nor leaked',
  nobodyWaits: 'nobody waits for ever',
  asNamed: 'an open reads the file whose registration the server named',
} as const

export type Property = keyof typeof properties

export const propertyNames = Object.keys(properties) as readonly Property[]

export type Report = (property: Property) => void

/** What a step has shown. */
export function checkStep(outcome: Outcome, report: Report): void {
  if (outcome.refused) report('noEio')
  if (outcome.otherThanNamed) report('asNamed')
  if (outcome.underflow) report('counts')
}

/**
 * What a state shows. A read is possible at every moment and changes nothing, so it is no step: whether some
 * process would read something else than it should is seen here. `duties`: how many steps come about by themselves;
 * where none does, whoever waits does so for ever, since everything ends after finitely many steps.
 */
export function checkState(
  layout: Layout,
  policy: Policy,
  state: Uint8Array,
  duties: number,
  report: Report,
): void {
  let open = 0
  let waiting = 0
  for (let process = 0; process < layout.processes; process++) {
    const phase = state[layout.process(process) + Process.phase]
    if (phase === Phase.open) open++
    else if (phase !== Phase.idle) waiting++
  }
  for (let inode = 0; inode < layout.inodes; inode++) checkInode(layout, state, inode, report)
  if (policy.idPer === 'inode' && policy.remembers) checkHandles(layout, state, report)
  if (duties > 0) return
  if (waiting > 0 || hasReleases(layout, state)) report('nobodyWaits')
  else if (open === 0) checkAtRest(layout, state, report)
}

function checkInode(layout: Layout, state: Uint8Array, index: number, report: Report): void {
  const inode = layout.inode(index)
  let opens = 0
  let file = -1
  for (let process = 0; process < layout.processes; process++) {
    const at = layout.process(process)
    if (state[at + Process.phase] !== Phase.open || state[at + Process.inode] !== index) continue
    opens++
    const read = state[at + Process.file]!
    if (file >= 0 && file !== read) report('sameFile')
    file = read
    const written = state[inode + Inode.written]!
    if (written !== 0 && written !== read + 1) report('readBack')
  }
  const counted = COUNT_BIAS - state[inode + Inode.count]!
  if (counted !== opens || (state[inode + Inode.backing] !== 0) !== opens > 0) report('counts')
}

/** The journal's count of open handles is that of the handles there are. */
function checkHandles(layout: Layout, state: Uint8Array, report: Report): void {
  for (let index = 0; index < layout.inodes; index++) {
    let handles = 0
    for (let process = 0; process < layout.processes; process++) {
      const at = layout.process(process)
      if (state[at + Process.known] === 1 && state[at + Process.inode] === index) handles++
    }
    for (let place = layout.releasesAt; place < layout.releasesAt + layout.releases; place++) {
      if (((state[place]! >> 2) & 3) === (index | 2)) handles++
    }
    if (handles !== state[layout.inode(index) + Inode.handles]) report('counts')
  }
}

/** Nothing is open, nothing is under way and the server has tidied up. */
function checkAtRest(layout: Layout, state: Uint8Array, report: Report): void {
  let left = state[Global.leaked]! + state[Global.lost]!
  for (let id = 1; id <= layout.registrations; id++)
    left |= state[layout.registration(id)]! & Registration.idOpen
  if (left !== 0) report('nothingLeft')
  for (let index = 0; index < layout.inodes; index++) {
    if (state[layout.inode(index) + Inode.handles] !== 0) report('counts')
  }
}

function hasReleases(layout: Layout, state: Uint8Array): boolean {
  return layout.releases > 0 && state[layout.releasesAt] !== 0
}

/** True where a mapping that has outlived its file reads another file than the opens of its inode: that is allowed. */
export function mappingDiffers(layout: Layout, state: Uint8Array): boolean {
  for (let mapper = 0; mapper < layout.processes; mapper++) {
    const at = layout.process(mapper)
    const mapping = state[at + Process.mapping]!
    if (mapping === 0) continue
    for (let opener = 0; opener < layout.processes; opener++) {
      const other = layout.process(opener)
      if (state[other + Process.phase] !== Phase.open) continue
      if (state[other + Process.inode] !== state[at + Process.mappedInode]) continue
      if (state[other + Process.file] !== mapping - 1) return true
    }
  }
  return false
}
