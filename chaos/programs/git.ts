import { join } from 'node:path'
import type { Program } from './program.js'
import { makeTree } from './tree.js'
import { expectSame } from './work-place.js'

const FILES = 300
const COMMITS = 9

const env = {
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_TERMINAL_PROMPT: '0',
  GIT_AUTHOR_NAME: 'chaos',
  GIT_AUTHOR_EMAIL: 'chaos@example.org',
  GIT_COMMITTER_NAME: 'chaos',
  GIT_COMMITTER_EMAIL: 'chaos@example.org',
}

/** So that a fresh clone has history to fetch. */
const ORIGIN = `
git init -q -b trunk "$T/origin"
cd "$T/origin"
git add . && git commit -qm first
for n in 1 2 3 4 5 6 7 8; do echo "$n" >> folder-0/file-$n; git commit -qam "change $n"; done
git checkout -q --detach
`

const COMMIT = `
cd "$M/clone"
for n in $(seq ${COMMITS}); do
  echo "line $n" >> folder-1/file-10$n
  mkdir -p new/$n && echo "new $n" > new/$n/file
  git mv folder-2/file-20$n new/$n/moved
  git add -A
  git commit -qm "commit $n"
done
git checkout -q -b side HEAD~3
echo side > side && git add side && git commit -qm side
git checkout -q trunk
git merge -q -m merged side
git gc -q --prune=now
`

/** A clone, commits, a merge, gc, and what fsck says to them. */
export const git: Program = {
  name: 'git',
  counts: 'commits made',
  prepare: async (place) => {
    makeTree(join(place.scratch, 'origin'), FILES)
    await place.sh(ORIGIN, { env })
  },
  cycle: async (place) => {
    await place.sh('git clone -q --no-local "$T/origin" "$M/clone"', { env })
    await place.sh(COMMIT, { env })
    for (const folder of ['$M', '$S']) {
      const checked = `cd "${folder}/clone"; git fsck --full --strict --no-dangling --no-progress 2>&1`
      expectSame('git fsck', await place.check('git fsck', checked, { env }), '')
      const status = await place.check('git status', `cd "${folder}/clone"; git status --porcelain`, { env })
      expectSame('git status', status, '')
      const log = await place.check('git log', `cd "${folder}/clone"; git log --oneline | wc -l`, { env })
      // Those of the origin, those made here, one on the side, and the merge.
      expectSame('commits', Number(log), 9 + COMMITS + 2)
    }
    await place.sh('cd "$M/clone"; git push -q origin trunk:pushed-$$; git rev-parse HEAD > "$T/head"', {
      env,
    })
    await place.check(
      'what was pushed',
      'cd "$T/origin"; git fsck --full --no-progress --no-dangling; git cat-file -e "$(cat "$T/head")"',
      {
        env,
      },
    )
    await place.sh('rm -rf "$M/clone"')
    await place.check('the removal', '[ -z "$(ls "$S")" ]')
    return COMMITS + 2
  },
}
