import { describeStep } from './describe-step.js'
import { COUNT_BIAS, Global, Inode, Phase, Process, Registration, type Layout } from './layout.js'
import type { Machine } from './machine.js'
import { Names } from './names.js'
import { NormalForm } from './normal-form.js'
import type { Property } from './properties.js'
import type { StateTable } from './state-table.js'
import { State } from './state.js'
import { Step, kindOf } from './step.js'

/**
 * The way to a fault in words, one sentence each: from the start to the state `number`, then `last` (-1: none), then
 * what is wrong.
 */
export function tell(
  machine: Machine,
  table: StateTable,
  number: number,
  last: number,
  property: Property,
): string[] {
  const { layout } = machine
  const names = new Names(layout)
  const normal = new NormalForm(layout, machine.policy.remembers)
  const start = new State(layout.bytes)
  const before = start.bytes
  const after = new Uint8Array(layout.bytes)
  const lines: string[] = []

  const take = (step: number): void => {
    after.set(before)
    machine.apply(after, step)
    nameNewId(layout, names, before, after)
    lines.push(describeStep({ machine, names, before, after, step }))
    if (kindOf(step) === Step.exchange) lines.push(namesNow(layout, names, after))
  }

  normal.of(layout.initial())
  names.follow(normal.renaming)
  table.read(0, start.words)
  for (const step of stepsTo(table, number)) {
    take(step)
    before.set(normal.of(after).bytes)
    names.follow(normal.renaming)
  }
  if (last >= 0) take(last)
  else lines.push(whatIsWrong(property, layout, names, before))
  return lines
}

function stepsTo(table: StateTable, number: number): number[] {
  const steps: number[] = []
  for (let at = number; at !== 0; at = table.parentOf(at)) steps.push(table.stepTo(at))
  return steps.reverse()
}

function nameNewId(layout: Layout, names: Names, before: Uint8Array, after: Uint8Array): void {
  for (let id = 1; id <= layout.registrations; id++) {
    const at = layout.registration(id)
    if (before[at] === 0 && after[at] !== 0) names.newId(id)
  }
}

function namesNow(layout: Layout, names: Names, state: Uint8Array): string {
  const leads = Array.from(
    { length: layout.inodes },
    (_, inode) => `the name of ${names.inode(inode)} leads to ${names.file(layout.fileOf(state, inode))}`,
  )
  return `(now ${leads.join(', ')})`
}

function whatIsWrong(property: Property, layout: Layout, names: Names, state: Uint8Array): string {
  const all = Array.from({ length: layout.processes }, (_, index) => index)
  const of = (process: number, field: number): number => state[layout.process(process) + field]!
  const open = all.filter((process) => of(process, Process.phase) === Phase.open)
  switch (property) {
    case 'sameFile':
      return open
        .map(
          (p) =>
            `${names.process(p)} reads ${names.inodeOf(state, p)} from ${names.file(of(p, Process.file))}`,
        )
        .join(', ')
    case 'readBack': {
      const written = (process: number): number =>
        state[layout.inode(of(process, Process.inode)) + Inode.written]!
      const misled = open.find((p) => written(p) !== 0 && written(p) !== of(p, Process.file) + 1)!
      const file = names.file(of(misled, Process.file))
      return `${names.process(misled)} reads ${names.inodeOf(state, misled)} from ${file}; what was written is in ${names.file(written(misled) - 1)}`
    }
    case 'nobodyWaits': {
      const waiting = all.filter((p) => of(p, Process.phase) !== Phase.idle && !open.includes(p))
      const who = waiting.length > 0 ? waiting.map((p) => names.process(p)).join(', ') : 'a RELEASE'
      return `nothing more happens by itself, and there waits for ever: ${who}`
    }
    case 'nothingLeft':
      return `nothing is open, and there is still registered: ${registered(layout, names, state)}`
    default:
      return all
        .slice(0, layout.inodes)
        .map((inode) => counts(layout, names, state, inode))
        .join('; ')
  }
}

function registered(layout: Layout, names: Names, state: Uint8Array): string {
  const ids: string[] = []
  for (let id = 1; id <= layout.registrations; id++) {
    if ((state[layout.registration(id)]! & Registration.idOpen) !== 0) ids.push(names.id(id))
  }
  if (state[Global.leaked] !== 0 || state[Global.lost] !== 0) ids.push('an id that no server knows')
  return ids.join(', ')
}

function counts(layout: Layout, names: Names, state: Uint8Array, index: number): string {
  const inode = layout.inode(index)
  let open = 0
  for (let process = 0; process < layout.processes; process++) {
    const at = layout.process(process)
    if (state[at + Process.phase] === Phase.open && state[at + Process.inode] === index) open++
  }
  const backing = state[inode + Inode.backing]!
  return (
    `${names.inode(index)} is open in ${open} processes, the kernel's counter is ` +
    `${state[inode + Inode.count]! - COUNT_BIAS} and its backing file ${backing === 0 ? 'none' : names.id(backing)}, ` +
    `the server counts ${state[inode + Inode.handles]!}`
  )
}
