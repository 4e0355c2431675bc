import { existsSync, mkdirSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { run } from './command.js'

/** The checkout: compiled this file is in bench/build/. */
export const root = fileURLToPath(new URL('../../', import.meta.url))
const built = join(root, 'bench/build/native')

export const EVERMOUNT = join(root, 'dist/cli/main.js')
export const CEILING = join(built, 'ceiling')
export const CEILING_IN_NODE = join(root, 'bench/build/ceiling-in-node/main.js')
export const CLIENT = join(built, 'client')

const COMPILER_FLAGS = ['-std=gnu11', '-O2', '-Wall', '-Wextra', '-pthread'] as const

/** Compiles the programs in C, where they are older than their sources. */
export async function compile(): Promise<void> {
  mkdirSync(built, { recursive: true })
  for (const program of [CEILING, CLIENT]) {
    const folder = join(root, 'bench', program.slice(built.length + 1))
    const files = readdirSync(folder).map((name) => join(folder, name))
    const newest = Math.max(...files.map((file) => statSync(file).mtimeMs))
    if (existsSync(program) && statSync(program).mtimeMs > newest) continue
    const sources = files.filter((file) => file.endsWith('.c'))
    await run('cc', [...COMPILER_FLAGS, '-o', program, ...sources])
  }
}
