import { closeSync, mkdirSync, openSync } from 'node:fs'
import { join } from 'node:path'
import type { Calls } from './calls.js'

/** Of the source: the drill's clients leave alone what is in it. */
export const KNOWN_INODES = 'drill-known'
const FILES_IN_DIRECTORY = 1_000

/** Makes so many empty files, for the kernel to get to know. */
export function makeFiles(source: string, count: number): void {
  const root = join(source, KNOWN_INODES)
  mkdirSync(root)
  for (let made = 0; made < count; made++) {
    const directory = join(root, String(Math.floor(made / FILES_IN_DIRECTORY)))
    if (made % FILES_IN_DIRECTORY === 0) mkdirSync(directory)
    closeSync(openSync(join(directory, `drill-${made}`), 'wx'))
  }
}

/** Looks each of them up once: from then on the kernel, and with it the server, knows them until memory is short. */
export async function lookUpFiles(mount: Calls): Promise<void> {
  for (const directory of await mount.readdir(KNOWN_INODES)) {
    const path = join(KNOWN_INODES, directory)
    for (const file of await mount.readdir(path)) await mount.stat(join(path, file))
  }
}
