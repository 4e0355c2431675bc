import { FileMode } from '../../src/protocol/linux.js'
import { AttrOut } from '../../src/protocol/structs/attr.js'
import { EntryOut } from '../../src/protocol/structs/entry.js'
import { OutHeader } from '../../src/protocol/structs/header.js'
import type { Malformation } from '../scenario.js'

const ERROR = OutHeader.offset.error
const UNIQUE = OutHeader.offset.unique
const BODY = OutHeader.size
const DIRENT_NAME = 24

/** Where the attributes begin in the answers to operations that have some. */
function attributesAt(opcode: string): number {
  return BODY + (opcode === 'GETATTR' || opcode === 'SETATTR' ? AttrOut.offset.attr : EntryOut.offset.attr)
}

/** Spoils a proper answer. The length in its header is right unless that is what is spoilt. */
export function malform(answer: Uint8Array, opcode: string, how: Malformation): Uint8Array {
  const bytes = resized(answer, how)
  const view = new DataView(bytes.buffer)
  if (bytes.length >= BODY) view.setUint32(0, bytes.length, true)
  const unique = bytes.length >= BODY ? view.getBigUint64(UNIQUE, true) : 0n
  switch (how) {
    case 'length-field':
      view.setUint32(0, bytes.length + 1, true)
      break
    case 'positive-error':
      view.setInt32(ERROR, 5, true)
      break
    case 'huge-error':
      view.setInt32(ERROR, -512, true)
      break
    case 'error-with-body':
      view.setInt32(ERROR, -5, true)
      break
    case 'other-unique':
      view.setBigUint64(UNIQUE, unique + 1000n, true)
      break
    case 'odd-unique':
      view.setBigUint64(UNIQUE, unique | 1n, true)
      break
    case 'bad-type': {
      // struct fuse_attr: six 64-bit fields and three 32-bit ones before the mode.
      const at = attributesAt(opcode) + 6 * 8 + 3 * 4
      view.setUint32(at, (view.getUint32(at, true) & ~FileMode.IFMT) | FileMode.IFIFO, true)
      break
    }
    case 'bad-size':
      view.setBigUint64(attributesAt(opcode) + 8, 1n << 63n, true)
      break
    case 'zero-nodeid':
      view.setBigUint64(BODY, 0n, true)
      break
    case 'root-nodeid':
      view.setBigUint64(BODY, 1n, true)
      break
    case 'bad-name': {
      const entry = opcode === 'READDIRPLUS' ? EntryOut.size : 0
      view.setUint8(BODY + entry + DIRENT_NAME, 0x2f)
      break
    }
    default:
  }
  return bytes
}

function resized(answer: Uint8Array, how: Malformation): Uint8Array<ArrayBuffer> {
  const change: Partial<Record<Malformation, number>> = {
    'short-body': -8,
    'long-body': 8,
    'cut-header': 8 - answer.length,
    'too-much': 0x2000,
  }
  const bytes = new Uint8Array(Math.max(8, answer.length + (change[how] ?? 0)))
  bytes.set(answer.subarray(0, bytes.length))
  return bytes
}
