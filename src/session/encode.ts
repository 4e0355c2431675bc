import type { AttributesAnswer, Entry } from '../filesystem/file-system.js'
import { zeroAttr, type AttrOut } from '../protocol/structs/attr.js'
import type { EntryOut } from '../protocol/structs/entry.js'
import type { Infer } from '../protocol/struct.js'

/** For how long the kernel may rely on what it is told, in seconds, where an answer does not say. */
export interface CacheTimeouts {
  readonly entry: number
  readonly attributes: number
}

/** Longer than any mount lives, and far from overflow in the kernel's jiffies. */
const LONGEST = 2 ** 31

export const NO_ATTRIBUTES = zeroAttr()

/** Filled anew for each answer and written to the wire before the next: nothing is allocated for it. */
const entryValue: { -readonly [K in keyof Infer<typeof EntryOut>]: Infer<typeof EntryOut>[K] } = {
  nodeid: 0,
  // Node ids are never used twice, so a generation would tell nothing more.
  generation: 0,
  entryValid: 0,
  attrValid: 0,
  entryValidNsec: 0,
  attrValidNsec: 0,
  attr: NO_ATTRIBUTES,
}

const attributesValue: { -readonly [K in keyof Infer<typeof AttrOut>]: Infer<typeof AttrOut>[K] } = {
  attrValid: 0,
  attrValidNsec: 0,
  attr: NO_ATTRIBUTES,
}

/** An entry as fuse_entry_out; valid until the next call. */
export function entryOut(entry: Entry, timeouts: CacheTimeouts): Infer<typeof EntryOut> {
  const entryTimeout = entry.entryTimeout ?? timeouts.entry
  const attributeTimeout = entry.attributeTimeout ?? timeouts.attributes
  entryValue.nodeid = entry.node
  entryValue.entryValid = wholeSeconds(entryTimeout)
  entryValue.entryValidNsec = nanoseconds(entryTimeout)
  entryValue.attrValid = wholeSeconds(attributeTimeout)
  entryValue.attrValidNsec = nanoseconds(attributeTimeout)
  entryValue.attr = entry.node === 0 ? NO_ATTRIBUTES : entry.attributes
  return entryValue
}

/** Attributes as fuse_attr_out; valid until the next call. */
export function attrOut(answer: AttributesAnswer, timeouts: CacheTimeouts): Infer<typeof AttrOut> {
  const timeout = answer.attributeTimeout ?? timeouts.attributes
  attributesValue.attrValid = wholeSeconds(timeout)
  attributesValue.attrValidNsec = nanoseconds(timeout)
  attributesValue.attr = answer.attributes
  return attributesValue
}

export function wholeSeconds(timeout: number): number {
  return timeout >= LONGEST ? LONGEST : Math.trunc(timeout)
}

export function nanoseconds(timeout: number): number {
  return timeout >= LONGEST ? 0 : Math.floor((timeout % 1) * 1e9)
}
