import { run } from './command.js'

/** A tmpfs of its own at an empty folder. */
export async function mountMemory(folder: string): Promise<void> {
  await run('mount', ['-t', 'tmpfs', '-o', 'size=50%,mode=755', 'evermount-bench', folder])
}

export async function unmountMemory(folder: string): Promise<void> {
  await run('umount', [folder])
}
