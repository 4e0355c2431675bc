import { FILE_HANDLE_HEAD } from './handle.js'

/**
 * struct fanotify_event_metadata:
 *
 *     0  u32  length of the event with its records        8  u64  mask
 *     4  u8   version                                    16  i32  descriptor, -1 here
 *     6  u16  length of this structure                   20  i32  process
 *
 * Then records (struct fanotify_event_info_fid):
 *
 *     0  u8   kind        4  two i32: the file system     12  struct file_handle
 *     2  u16  length                                      then, for kinds with a name, the name and NUL
 */
const METADATA_BYTES = 24
const VERSION = 3
const HANDLE_AT = 12

/** Kinds of records: an object; a directory and a name in it; a directory. */
const Kind = { object: 1, named: 2, directory: 3 } as const

const NUL = 0
const DOT = 0x2e

/** One change. The arrays are parts of the buffer it was read into. */
export interface FanotifyEvent {
  /** FAN bits: what happened; changes of one object by one process that nobody has read yet are told as one. */
  readonly mask: number
  /** The process that made the change; 0: one that cannot be seen from here. */
  readonly pid: number
  /** struct file_handle of the changed object, where it is told. */
  readonly object: Uint8Array | undefined
  /** struct file_handle of the directory that the name is in, or was. */
  readonly directory: Uint8Array | undefined
  readonly name: Uint8Array | undefined
}

/**
 * The events in a buffer, up to `length` or the first one of length 0. Ends with `undefined` where something is no
 * event: what follows cannot be known.
 */
export function* fanotifyEvents(
  buffer: Uint8Array,
  length = buffer.length,
): Generator<FanotifyEvent | undefined, void> {
  const view = new DataView(buffer.buffer, buffer.byteOffset, length)
  for (let at = 0; at + METADATA_BYTES <= length;) {
    const bytes = view.getUint32(at, true)
    if (bytes === 0) return
    const records = at + view.getUint16(at + 6, true)
    const end = at + bytes
    if (view.getUint8(at + 4) !== VERSION || end > length || records < at + METADATA_BYTES) {
      yield undefined
      return
    }
    const event = eventOf(buffer, view, at, records, end)
    yield event
    if (event === undefined) return
    at = end
  }
}

function eventOf(
  buffer: Uint8Array,
  view: DataView,
  at: number,
  records: number,
  end: number,
): FanotifyEvent | undefined {
  let object: Uint8Array | undefined
  let directory: Uint8Array | undefined
  let name: Uint8Array | undefined
  for (let record = records; record < end;) {
    const next = record + (record + 4 <= end ? view.getUint16(record + 2, true) : 0)
    if (next < record + HANDLE_AT + FILE_HANDLE_HEAD || next > end) return undefined
    const from = record + HANDLE_AT
    const to = from + FILE_HANDLE_HEAD + view.getUint32(from, true)
    if (to > next) return undefined
    const kind = view.getUint8(record)
    if (kind === Kind.object) object = buffer.subarray(from, to)
    else if (kind === Kind.named || kind === Kind.directory) directory = buffer.subarray(from, to)
    if (kind === Kind.named) name = nameAt(buffer, to, next)
    record = next
  }
  // A change of a directory itself is told as one of the name '.' in it.
  if (name?.length === 1 && name[0] === DOT) {
    object ??= directory
    directory = name = undefined
  }
  // The upper half of the mask holds nothing that is asked for.
  return { mask: view.getUint32(at + 8, true), pid: view.getInt32(at + 20, true), object, directory, name }
}

function nameAt(buffer: Uint8Array, from: number, to: number): Uint8Array {
  const end = buffer.indexOf(NUL, from)
  return buffer.subarray(from, end < 0 || end > to ? to : end)
}
