import { FuseError } from '../errors/fuse-error.js'

const BEGIN = '<!-- explored: written by scripts/passthrough-table.mjs -->'
const END = '<!-- end of explored -->'

/** A document with what stands between its marks replaced. Throws ERR_USAGE where it has none. */
export function replaceSection(document: string, section: string): string {
  const begin = document.indexOf(BEGIN)
  const end = document.indexOf(END)
  if (begin < 0 || end < begin)
    throw new FuseError('ERR_USAGE', { problem: `${BEGIN} and ${END} are missing` })
  return `${document.slice(0, begin + BEGIN.length)}\n\n${section.trim()}\n\n${document.slice(end)}`
}
