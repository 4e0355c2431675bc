import { fsError } from '../../errors/fs-error.js'
import { SetxattrFlag } from '../../protocol/flags/io.js'
import { GetxattrIn, GetxattrOut, SetxattrIn } from '../../protocol/structs/xattr.js'
import { after, handler, nothing } from '../handler.js'
import type { RequestSlot } from '../request-slot.js'
import { changing } from './changing.js'
import { firstName, nameAt, nodeOf, u32, unsupported } from './request.js'

/** A value (or list of names), or its length where only that was asked for. */
interface XattrResult {
  readonly size: number
  readonly value: Uint8Array | number
}

function answerValue(slot: RequestSlot, { size, value }: XattrResult): void {
  const length = typeof value === 'number' ? value : value.length
  if (size === 0) slot.reply.struct(GetxattrOut, { size: length })
  else if (typeof value === 'number' || length > size) throw fsError('ERANGE')
  else slot.reply.bytes(value)
}

export const getxattr = handler<XattrResult>({
  call: (serving, slot) => {
    if (serving.fs.getxattr === undefined) unsupported()
    const size = u32(slot, GetxattrIn.offset.size)
    const value = serving.fs.getxattr(nodeOf(serving, slot), firstName(slot, 'text'), size, slot)
    return after(value, (found) => ({ size, value: found }))
  },
  answer: (_serving, slot, result) => {
    answerValue(slot, result)
  },
})

export const listxattr = handler<XattrResult>({
  call: (serving, slot) => {
    if (serving.fs.listxattr === undefined) unsupported()
    const size = u32(slot, GetxattrIn.offset.size)
    return after(serving.fs.listxattr(nodeOf(serving, slot), size, slot), (value) => ({ size, value }))
  },
  answer: (_serving, slot, result) => {
    answerValue(slot, result)
  },
})

export const setxattr = changing<'setxattr', unknown>({
  operation: 'setxattr',
  read: (serving, slot) => {
    const name = nameAt(slot, slot.frame.namesAt, 'text')
    const value = slot.frame.data(slot.frame.namesAt + name.length + 1, u32(slot, SetxattrIn.offset.size))
    if (value === null) throw fsError('EINVAL')
    const extended = slot.frame.setxattrExt ? u32(slot, SetxattrIn.offset.setxattrFlags) : 0
    const killSetgid = (extended & SetxattrFlag.ACL_KILL_SGID) !== 0
    const flags = u32(slot, SetxattrIn.offset.flags)
    return { operation: 'setxattr', node: nodeOf(serving, slot), name, value, flags, killSetgid }
  },
  carryOut: (fs, { node, name, value, flags, killSetgid }, slot) =>
    fs.setxattr(node, name, value, flags, killSetgid, slot),
  done: nothing,
  answer: nothing,
})

export const removexattr = changing<'removexattr', unknown>({
  operation: 'removexattr',
  read: (serving, slot) => ({
    operation: 'removexattr',
    node: nodeOf(serving, slot),
    name: firstName(slot, 'text'),
  }),
  carryOut: (fs, { node, name }, slot) => fs.removexattr(node, name, slot),
  done: nothing,
  answer: nothing,
})
