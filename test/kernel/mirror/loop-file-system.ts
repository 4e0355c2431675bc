import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'vitest'
import { runCommand } from '../../support/run-child.js'

export interface LoopFileSystem extends AsyncDisposable {
  readonly folder: string
  /** A directory of the file system. */
  readonly directory: string
}

/** An ext4 of 64 MiB of its own, on a loop device. Dispose of it after what is mounted over it. */
export async function loopFileSystem(...options: readonly string[]): Promise<LoopFileSystem> {
  const folder = mkdtempSync(join(tmpdir(), 'evm-loop-'))
  const mountPoint = join(folder, 'disk')
  mkdirSync(mountPoint)
  const dispose = async (): Promise<void> => {
    await runCommand('umount', ['-l', mountPoint], 10_000)
    rmSync(folder, { recursive: true, force: true })
  }
  const script =
    'truncate -s 64M "$1/img" && mkfs.ext4 -q "$@" && mount -o loop "$1/img" "$1/disk" && mkdir "$1/disk/d"'.replace(
      '"$@"',
      `${options.join(' ')} "$1/img"`,
    )
  const { code, stderr } = await runCommand('sh', ['-c', script, 'sh', folder], 20_000)
  if (code !== 0) {
    await dispose()
    expect.fail(`no ext4 on a loop device: ${stderr}`)
  }
  return { folder, directory: join(mountPoint, 'd'), [Symbol.asyncDispose]: dispose }
}
