import {
  commonInitFlags,
  initFlags,
  withInitFlags,
  type InitFlagName,
} from '../../src/protocol/flags/init.js'
import { encodeErrorReply, encodeReply } from '../../src/protocol/encode-reply.js'
import { OutHeader } from '../../src/protocol/structs/header.js'
import type { InitIn } from '../../src/protocol/structs/init.js'
import type { U64 } from '../../src/protocol/u64.js'
import type { InitAnswer } from '../scenario.js'

/** What the server asks for unless a scenario says otherwise. */
const USUAL: readonly InitFlagName[] = [
  'ASYNC_READ',
  'BIG_WRITES',
  'MAX_PAGES',
  'PARALLEL_DIROPS',
  'HANDLE_KILLPRIV_V2',
  'DO_READDIRPLUS',
  'INIT_EXT',
  'PASSTHROUGH',
  'HAS_RESEND',
  'ABORT_ERROR',
]

/** The answer to INIT as a scenario wants it: of its flags, those that the kernel offers. */
export function initReply(unique: U64, kernel: InitIn, answer: InitAnswer): Uint8Array {
  if (answer.errno !== undefined) return encodeErrorReply(unique, answer.errno)
  const without = new Set(answer.without ?? [])
  const wanted = initFlags(...USUAL.filter((name) => !without.has(name)))
  const flags = commonInitFlags(kernel, withInitFlags(wanted, ...(answer.with ?? [])))
  const bytes = encodeReply('INIT', unique, {
    major: answer.major ?? 7,
    minor: answer.minor ?? kernel.minor,
    maxReadahead: answer.maxReadahead ?? 0,
    flags: (flags.flags | (answer.extra?.flags ?? 0)) >>> 0,
    flags2: (flags.flags2 | (answer.extra?.flags2 ?? 0)) >>> 0,
    maxBackground: answer.maxBackground ?? 64,
    congestionThreshold: 48,
    maxWrite: answer.maxWrite ?? 0x1_0000,
    timeGran: answer.timeGran ?? 1,
    maxPages: answer.maxPages ?? 16,
    mapAlignment: 0,
    maxStackDepth: answer.maxStackDepth ?? 2,
    requestTimeout: answer.requestTimeout ?? 0,
  })
  if (answer.size === undefined) return bytes
  const length = OutHeader.size + answer.size
  const sized = new Uint8Array(length)
  sized.set(bytes.subarray(0, length))
  new DataView(sized.buffer).setUint32(0, length, true)
  return sized
}
