import { join } from 'node:path'
import type { Program } from './program.js'
import { addLinks, makeTree } from './tree.js'
import { expectSame } from './work-place.js'

const FILES = 500

/** An archive made on the mount, unpacked there, and compared. */
export const tar: Program = {
  name: 'tar',
  counts: 'files and folders archived, and unpacked',
  prepare: ({ source }) => {
    makeTree(join(source, 'tree'), FILES)
    addLinks(join(source, 'tree'), FILES)
  },
  cycle: async (place) => {
    await place.sh('mkdir "$M/out" && tar -C "$M" -cf "$M/archive.tar" tree')
    await place.sh('tar -C "$M/out" -xpf "$M/archive.tar"')
    await place.check('tar --compare', 'tar -C "$M/out" --compare -f "$M/archive.tar"')
    await place.check('the archive', 'cmp "$M/archive.tar" "$S/archive.tar"')
    await place.check('what was unpacked', 'diff -r --no-dereference "$M/tree" "$M/out/tree"')
    await place.check('in the source', 'diff -r --no-dereference "$S/tree" "$S/out/tree"')
    const entries = await place.sh('tar -tf "$M/archive.tar" | wc -l')
    expectSame('entries', entries, await place.sh('find "$S/tree" | wc -l'))
    await place.sh('rm -rf "$M/out" "$M/archive.tar"')
    await place.check('the removal', '[ "$(ls "$S")" = tree ]')
    return 2 * Number(entries)
  },
}
