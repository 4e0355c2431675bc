import { channel } from 'node:diagnostics_channel'
import { fsError } from '../errors/fs-error.js'
import type { Area } from '../journal/area.js'
import type { Journal } from '../journal/journal.js'
import { Header } from '../journal/layout.js'
import type { MissingFlag, ServerCapabilities } from '../protocol/capabilities.js'
import { hasInitFlag, type InitFlags } from '../protocol/flags/init.js'
import { negotiate } from '../protocol/negotiate.js'
import { InitIn, InitOut } from '../protocol/structs/init.js'
import type { RequestSlot } from './request-slot.js'

/** What holds on a connection, for all lives of its server. */
export interface Agreement {
  readonly minor: number
  readonly flags: InitFlags
  readonly passthrough: boolean
  readonly setxattrExt: boolean
  readonly writebackCache: boolean
  readonly maxWrite: number
}

/** Published once per mount: `{ missing: MissingFlag[] }`, what was wished for and is not had. */
const initialised = channel('evermount:initialised')

/**
 * Answers INIT, which the kernel sends once per connection. Both sides of the agreement go into the journal with
 * the answer: a successor never sees an INIT. Undefined: the kernel will send another one.
 */
export function answerInit(
  slot: RequestSlot,
  journal: Journal,
  wanted: ServerCapabilities,
  onRefused: (reason: Error) => void,
): Agreement | undefined {
  const { frame, reply } = slot
  const kernel = readInitIn(frame.view, frame.bodyAt, frame.bodyEnd)
  const result = negotiate(kernel, wanted)
  if (result.outcome === 'refused') {
    onRefused(result.error)
    throw fsError(result.errno)
  }
  const { header, redo } = journal
  const record = header.bytes(Header.initIn, InitIn.size + InitOut.size)
  const view = new DataView(record.buffer, record.byteOffset, record.byteLength)
  InitIn.write(view, 0, kernel)
  InitOut.write(view, InitIn.size, result.reply)
  const at = reply.reserve(result.replySize)
  reply.buffer.set(record.subarray(InitIn.size, InitIn.size + result.replySize), at)
  if (result.outcome === 'again') return undefined
  redo.stageU32(header, Header.initialised, 1)
  const { missing }: { missing: readonly MissingFlag[] } = result.agreed
  initialised.publish({ missing })
  return agreementOf(result.reply)
}

/** What an earlier life agreed on; undefined before INIT. */
export function recallAgreement(header: Area): Agreement | undefined {
  if (header.u32(Header.initialised) !== 1) return undefined
  const record = header.bytes(Header.initOut, InitOut.size)
  return agreementOf(InitOut.read(new DataView(record.buffer, record.byteOffset, record.byteLength), 0))
}

function agreementOf(reply: InitOut): Agreement {
  const flags = { flags: reply.flags, flags2: reply.flags2 }
  return {
    minor: reply.minor,
    flags,
    passthrough: hasInitFlag(flags, 'PASSTHROUGH'),
    setxattrExt: hasInitFlag(flags, 'SETXATTR_EXT'),
    writebackCache: hasInitFlag(flags, 'WRITEBACK_CACHE'),
    maxWrite: reply.maxWrite,
  }
}

/** Kernels before 5.17 send only the first part of the structure; the rest counts as zero. */
function readInitIn(view: DataView, at: number, end: number): InitIn {
  const whole = new Uint8Array(InitIn.size)
  const length = Math.min(end - at, InitIn.size)
  whole.set(new Uint8Array(view.buffer, view.byteOffset + at, length))
  return InitIn.read(new DataView(whole.buffer), 0)
}
