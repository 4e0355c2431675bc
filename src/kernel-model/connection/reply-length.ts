import { operations, type Operation } from '../../protocol/operations.js'
import { EntryOut } from '../../protocol/structs/entry.js'
import { IoctlOut } from '../../protocol/structs/ioctl.js'
import { OpenOut } from '../../protocol/structs/open.js'
import { GetxattrOut } from '../../protocol/structs/xattr.js'
import type { DriverRequest } from './driver-request.js'

/** Longest target of a symbolic link: a page, without its end (fuse_readlink_folio). */
const LINK_MAX = 4095

/** The lengths that the body of an answer without an error may have. */
export interface Lengths {
  readonly least: number
  readonly most: number
}

const exactly = (size: number): Lengths => ({ least: size, most: size })
const upTo = (size: number): Lengths => ({ least: 0, most: size })

/** What the request left room for (copy_out_args, fs/fuse/dev.c): all of it must come unless its last part may vary. */
export function replyLengths({ opcode, question }: DriverRequest): Lengths {
  const operation: Operation = operations[opcode]
  const body = (question.body ?? {}) as { readonly size?: number; readonly outSize?: number }
  const size = question.expect?.size ?? body.size ?? 0
  switch (operation.reply) {
    case 'no-reply':
    case 'empty':
      return exactly(0)
    case 'struct':
      return opcode === 'INIT' ? upTo(operations.INIT.replyStruct.size) : exactly(operation.replyStruct!.size)
    case 'entry-open':
      return exactly(EntryOut.size + OpenOut.size)
    case 'bytes':
      return upTo(opcode === 'READLINK' ? LINK_MAX : size)
    case 'size-or-bytes':
      return size === 0 ? exactly(GetxattrOut.size) : upTo(size)
    case 'dirents':
    case 'direntplus':
      return upTo(size)
    case 'ioctl':
      return { least: IoctlOut.size, most: IoctlOut.size + (question.expect?.size ?? body.outSize ?? 0) }
    case 'cuse-init':
      throw new Error('a mount has no CUSE_INIT')
  }
}
