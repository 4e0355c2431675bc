import type { ServerCapabilities } from './capabilities.js'
import { PAGE_SIZE } from './constants.js'

/** A wish that makes no sense, whatever the kernel offers. */
export interface Misuse {
  readonly flag: string
  readonly reason: string
}

/** A value that the kernel would correct or ignore without a word; `null` when there is none. */
export function findMisuse(wanted: ServerCapabilities): Misuse | null {
  const within = (flag: keyof ServerCapabilities, low: number, high: number): Misuse | null => {
    const value = wanted[flag]
    if (value === undefined || (Number.isInteger(value) && Number(value) >= low && Number(value) <= high))
      return null
    return { flag, reason: `it must be a whole number from ${low} to ${high}` }
  }
  const result =
    within('maxWrite', PAGE_SIZE, 0x4000_0000) ??
    within('maxReadahead', 0, 0xffff_ffff) ??
    within('maxBackground', 1, 0xffff) ??
    within('congestionThreshold', 1, 0xffff) ??
    within('timeGran', 1, 1e9) ??
    within('maxStackDepth', 1, 2) ??
    within('requestTimeout', 0, 0xffff) ??
    within('mapAlignment', 0, 63) ??
    within('pageSize', PAGE_SIZE, 0x10_0000)
  if (result !== null) return result
  if (!Number.isInteger(Math.log10(wanted.timeGran ?? 1))) {
    return { flag: 'timeGran', reason: 'it must be a power of ten' }
  }
  if ((wanted.congestionThreshold ?? 1) > (wanted.maxBackground ?? 0xffff)) {
    return { flag: 'congestionThreshold', reason: 'it is above maxBackground' }
  }
  if ([...(wanted.required ?? []), ...(wanted.optional ?? [])].includes('INIT_RESERVED')) {
    return { flag: 'INIT_RESERVED', reason: 'it has no meaning' }
  }
  return null
}
