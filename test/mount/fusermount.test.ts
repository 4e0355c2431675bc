import { chmodSync, chownSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { beforeEach, describe, expect, it } from 'vitest'
import { NAME_LENGTH } from '../support/fuse-answers.mjs'
import { requireOrSkip } from '../support/requirements.js'
import { runUnshared } from '../support/run-child.js'
import { temporaryDirectories } from '../support/temporary-directory.js'

const temporary = temporaryDirectories()
const NOBODY = 65534

/** What the drill reports: see children/fusermount-drill.mjs. */
interface Report {
  readonly type: string
  readonly userId: string
  readonly nameLength: number
  readonly afterwards: string
  readonly ended: object
  readonly again: string
  readonly missingProgram: string
  readonly allowOther: { readonly code: string; readonly remedy: string }
  readonly fdsLeft: number
}

/**
 * A plain user with a device that is open to all, as most distributions have it: a node of our own in a mount namespace
 * of its own, so that the machine stays as it is.
 */
describe('a plain user', () => {
  beforeEach((context) => requireOrSkip(context, 'root', 'fuse', 'fusermount3', 'unshare'))

  it('mounts, serves and unmounts through fusermount3', async () => {
    const directory = temporary()
    chmodSync(directory, 0o755)
    const mountPoint = join(directory, 'mount')
    mkdirSync(mountPoint)
    chownSync(mountPoint, NOBODY, NOBODY)
    const inside = `
      set -e
      mknod "$1/fuse" c 10 229
      chmod 666 "$1/fuse"
      mount --bind "$1/fuse" /dev/fuse
      exec setpriv --reuid=${NOBODY} --regid=${NOBODY} --clear-groups "$2" "$3" "$1/mount"`
    const drill = fileURLToPath(new URL('./children/fusermount-drill.mjs', import.meta.url))
    const result = await runUnshared('sh', ['-c', inside, 'sh', directory, process.execPath, drill], 15_000)
    expect(result.stderr).toBe('')
    const report = JSON.parse(result.stdout) as Report
    expect(report).toMatchObject({
      type: 'fuse.evermount',
      userId: `user_id=${NOBODY}`,
      nameLength: NAME_LENGTH,
      afterwards: 'none',
      ended: { ended: -19 },
      again: 'ERR_NOT_MOUNTED',
      missingProgram: 'ERR_FUSERMOUNT',
      fdsLeft: 0,
    })
    expect(report.allowOther.code).toBe('ERR_FUSERMOUNT')
    expect(report.allowOther.remedy).toContain('user_allow_other')
  })
})
