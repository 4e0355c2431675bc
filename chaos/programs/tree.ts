import { linkSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const PER_FOLDER = 100

/** A tree of so many small files, different ones, with a few links. */
export function makeTree(root: string, files: number): void {
  for (let n = 0; n < files; n++) {
    const folder = join(root, `folder-${Math.floor(n / PER_FOLDER)}`)
    if (n % PER_FOLDER === 0) mkdirSync(folder, { recursive: true })
    writeFileSync(join(folder, `file-${n}`), `file ${n}\n`.repeat(1 + ((n * 7) % 60)))
  }
}

/** Symbolic and hard links beside the files of such a tree, one of each in each folder. */
export function addLinks(root: string, files: number): void {
  for (let n = 0; n < files; n += PER_FOLDER) {
    const folder = join(root, `folder-${n / PER_FOLDER}`)
    symlinkSync(`file-${n}`, join(folder, 'symbolic'))
    linkSync(join(folder, `file-${n + 1}`), join(folder, 'hard'))
  }
}
