import { join } from 'node:path'
import { makeTree } from './tree.js'
import type { Program } from './program.js'
import { expectSame, type WorkPlace } from './work-place.js'

const filesOf = ({ isQuick }: WorkPlace): number => (isQuick ? 1_000 : 10_000)

/** `cp -r` and `rm -rf` of a tree of 10,000 files. */
export const copies: Program = {
  name: 'cp and rm',
  counts: 'files copied, and files removed',
  prepare: async (place) => {
    makeTree(join(place.source, 'tree'), filesOf(place))
    await place.sh('cd "$S/tree" && find . -type f -exec sha1sum {} + > "$T/sums"')
  },
  cycle: async (place) => {
    const files = filesOf(place)
    await place.sh('cp -r "$M/tree" "$M/copy"')
    expectSame('files of the copy', Number(await place.sh('find "$M/copy" -type f | wc -l')), files)
    await place.check('the copy on the mount', 'cd "$M/copy" && sha1sum --quiet -c "$T/sums"')
    await place.check('the copy in the source', 'diff -r "$S/tree" "$S/copy"')
    await place.sh('rm -rf "$M/copy"')
    await place.check('the removal', '[ "$(ls "$M")" = tree ] && [ "$(ls "$S")" = tree ]')
    return 2 * files
  },
}
