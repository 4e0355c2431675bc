import { rules } from '../kernel-model/rules.js'
import { COUNT_BIAS, Global, Inode, Phase, Process, type Layout } from './layout.js'
import type { Machine } from './machine.js'
import type { Names } from './names.js'
import { Step, kindOf, subjectOf } from './step.js'

interface Moment {
  readonly machine: Machine
  readonly names: Names
  readonly before: Uint8Array
  readonly after: Uint8Array
  readonly step: number
}

/** A step that `machine` has just carried out, in words. */
export function describeStep(moment: Moment): string {
  const { machine, names, before, after, step } = moment
  const { layout, policy } = machine
  const subject = subjectOf(step)
  const server = names.server(before)
  const of = (field: number, state = before): number => state[layout.process(subject) + field]!
  const inode = (): string => names.inodeOf(before, subject)
  switch (kindOf(step)) {
    case Step.open:
      return `${names.process(subject >> 1)} opens ${names.inode(subject & 1)}: OPEN is queued`
    case Step.close:
      return `${names.process(subject)} closes ${inode()}${afterClose(moment, of(Process.inode))}; RELEASE is queued`
    case Step.map:
      return `${names.process(subject)} maps ${inode()}, which is ${names.file(of(Process.file))}`
    case Step.unmap:
      return `${names.process(subject)} unmaps ${names.inode(of(Process.mappedInode))}`
    case Step.write:
      return `${names.process(subject)} writes to ${inode()}, which is ${names.file(of(Process.file))}`
    case Step.judge:
      return judged(moment, subject)
    case Step.readOpen:
      return `${server} reads the OPEN of ${names.process(subject)}`
    case Step.beginOpen:
      return `${server} ${begun(moment, subject)}`
    case Step.note: {
      const replaced = after[layout.inode(of(Process.inode)) + Inode.former]!
      const also = replaced === 0 ? '' : `, in the place of ${names.id(replaced)}`
      return `${server} writes ${names.id(of(Process.registration))} down for ${inode()}${also}`
    }
    case Step.answerOpen:
      return `${server} ${answers(moment, subject, of(Process.registration))}`
    case Step.readRefused:
      return `${server} reads the RELEASE after the refused open of ${names.process(subject)}`
    case Step.releaseRefused:
      return `${server} answers the RELEASE after the refused open, and ${names.process(subject)} has its EIO`
    case Step.readRelease:
      return `${server} reads a RELEASE of ${names.inode(releasedInode(layout, before, subject))}`
    case Step.release:
      return `${server} answers the RELEASE of ${names.inode(releasedInode(layout, before, subject))}`
    case Step.closeId:
      return `${server} closes ${names.id(before[before[Global.closing] === 0 ? Global.closingFormer : Global.closing]!)}`
    case Step.settle:
      if (after[Global.closing] !== 0) {
        return `${server} finds ${names.id(after[Global.closing]!)} written down for an OPEN that was not answered`
      }
      return `${server} has settled what its predecessor left${machine.closesAll ? ': it closes all ids' : ''}`
    case Step.resend:
      return `${server} has the kernel resend what was read and not answered`
    case Step.sweep:
      return `${server} closes ids that nobody has written down`
    case Step.start:
      return `${server} starts, ${policy.remembers ? 'with the journal' : 'and knows nothing of before'}`
    case Step.kill:
      return `${server} is killed`
    default:
      return `somebody exchanges the names of ${names.file(0)} and ${names.file(1)}`
  }
}

function afterClose({ machine, names, before, after }: Moment, index: number): string {
  const inode = machine.layout.inode(index)
  const backing = before[inode + Inode.backing]!
  if (backing === 0 || after[inode + Inode.backing] !== 0) return ''
  return `, the last to have it open: the kernel lets ${names.id(backing)} go (C1)`
}

function begun(moment: Moment, process: number): string {
  const { machine, names, before, after } = moment
  const at = machine.layout.process(process)
  const registration = after[at + Process.registration]!
  const inode = before[at + Process.inode]!
  if (after[at + Process.phase] === Phase.idle) {
    return `sees that ${names.inode(inode)} is no longer what its name leads to, and answers ESTALE`
  }
  if (after[at + Process.phase] === Phase.openAnswered) return answers(moment, process, registration)
  return `registers ${names.file(machine.layout.fileOf(before, inode))}: ${names.id(registration)}`
}

function answers({ machine, names }: Moment, process: number, registration: number): string {
  const flag = machine.policy.openFlags & 256 ? ' and the flag' : ''
  return `answers the OPEN of ${names.process(process)} with ${names.id(registration)}${flag}`
}

function judged({ machine, names, before, after }: Moment, process: number): string {
  const { rule, refused, otherThanNamed } = machine.outcome
  const at = machine.layout.process(process)
  const index = before[at + Process.inode]!
  const inode = machine.layout.inode(index)
  const why = `${rule!}: ${rules[rule!]}`
  if (refused) return `the kernel refuses the open of ${names.process(process)} with EIO (${why})`
  const file = names.file(after[at + Process.file]!)
  const count = COUNT_BIAS - after[inode + Inode.count]!
  const times = count === 1 ? 'once' : `${count} times`
  const other = otherThanNamed
    ? `, not the file that ${names.id(before[at + Process.registration]!)} stands for`
    : ''
  return `the kernel admits the open of ${names.process(process)}, of ${file}${other} (${why}); ${names.inode(index)} is open ${times}`
}

function releasedInode(layout: Layout, state: Uint8Array, place: number): number {
  return (state[layout.releasesAt + place]! >> 2) & 1
}
