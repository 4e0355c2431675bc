// SPDX-License-Identifier: GPL-2.0-only
/**
 * Changes to kernel sources, found by the identifiers that they stand beside. An anchor that is not found exactly
 * once is an error: another version of Linux needs another look.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/**
 * One change of a file: `at` is a regular expression; `put` what it is replaced with (`$&` is what was found).
 * With `within`, a function's name, it is looked for from that function's definition on, and the first match counts.
 */
function apply(text, { at, put, within }, file) {
  const from = within === undefined ? 0 : definitionOf(within, text, file)
  const rest = text.slice(from)
  const matches = [...rest.matchAll(new RegExp(at, 'gm'))]
  if (matches.length === 0 || (within === undefined && matches.length > 1)) {
    throw new Error(`${file}: ${matches.length} places for the edit at ${at}`)
  }
  return text.slice(0, from) + rest.replace(new RegExp(at, 'm'), put)
}

function definitionOf(name, text, file) {
  const found = [...text.matchAll(new RegExp(`^[a-z][^\\n;{}]*\\b${name}\\([^;{}]*\\)\\n\\{`, 'gm'))]
  if (found.length !== 1) throw new Error(`${file}: ${found.length} definitions of ${name}`)
  return found[0].index
}

/** Writes the edited files into `tree`, made from the unedited ones in `original`. */
export function editSources(variant, original, tree) {
  for (const file of editedFiles) {
    const changes = variant.changes.filter((change) => change.file === file)
    const before = readFileSync(join(original, file), 'utf8')
    const after = changes.reduce((text, change) => apply(text, change, file), before)
    // A file that stays as it is keeps its time: make builds nothing again that need not be.
    if (readFileSync(join(tree, file), 'utf8') !== after) writeFileSync(join(tree, file), after)
  }
}

/** All files that any variant changes. */
export const editedFiles = [
  'include/uapi/linux/fuse.h',
  'fs/fuse/fuse_i.h',
  'fs/fuse/dev.c',
  'fs/fuse/iomode.c',
  'fs/fuse/passthrough.c',
]
