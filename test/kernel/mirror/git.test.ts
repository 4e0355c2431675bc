import { beforeEach, describe, expect, it } from 'vitest'
import { mountMirror } from '../../support/evermount.js'
import { requireOrSkip } from '../../support/requirements.js'

const SCRIPT = `
set -e
export HOME="$SRC/.." GIT_CONFIG_NOSYSTEM=1 GIT_TERMINAL_PROMPT=0
git config --global user.name tester
git config --global user.email tester@example.org
git config --global init.defaultBranch trunk
cd "$MNT"
git init -q first
cd first
for d in 1 2 3 4 5 6 7 8 9 10; do
  mkdir -p "d$d/sub"
  for f in 1 2 3 4 5 6 7 8 9 10; do echo "line $d $f" > "d$d/sub/f$f"; done
done
ln -s d1/sub/f1 link
printf 'echo hi\\n' > tool && chmod +x tool
git add . && git commit -qm one
echo more >> d1/sub/f1 && git mv d2 moved && git rm -rq d3 && git commit -qam two
git checkout -qb side HEAD~1 && echo side > side && git add side && git commit -qm side
git checkout -q trunk && git merge -q -m merged side
git stash list
cd ..
git clone -q first second
git clone -q --no-local --depth 1 "file://$MNT/first" shallow
cd second
echo pushed > pushed && git add pushed && git commit -qm three && git push -q origin HEAD:other
git worktree add -q ../tree HEAD~1
git gc -q --aggressive --prune=now
git repack -adfq
git status --porcelain
git fsck --strict --no-dangling --no-progress 2>&1
git -C ../first fsck --strict --no-dangling --no-progress 2>&1
git -C ../first status --porcelain
git rev-parse HEAD > ../head
git -C ../first rev-parse other > ../other
cmp ../head ../other
git archive HEAD | sha1sum > ../sum-mount
git -c safe.directory='*' -C "$SRC/second" archive HEAD | sha1sum > ../sum-source
cmp ../sum-mount ../sum-source
git -c safe.directory='*' -C "$SRC/second" fsck --strict --no-dangling --no-progress 2>&1
git log --oneline | wc -l
`

describe('git on the mirror', { timeout: 120_000 }, () => {
  beforeEach((context) => {
    requireOrSkip(context, 'root', 'fuse')
  })

  it.each([['with passthrough'], ['without', '--no-passthrough']])(
    'init, commit, merge, clone, push, gc, fsck, status: %s',
    async (_, ...args) => {
      await using mirror = await mountMirror({ args, guardMs: 110_000 })
      const { code, stdout, stderr } = await mirror.sh(SCRIPT, 100_000)
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
      expect(stdout.trim()).toBe('5')
    },
  )
})
