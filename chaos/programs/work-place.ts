import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { run, shell, type CommandOptions } from '../../bench/command.js'
import { WrongData } from './program.js'

/** Most time that one command of a program may take: many takeovers on a busy machine. */
const COMMAND_MS = 480_000

/** Folders of one program: on the mount, the same in the source, and one that is not mounted. */
export class WorkPlace {
  readonly mount: string
  readonly source: string
  readonly scratch: string
  /** Less of everything: a tenth, where that makes sense. */
  readonly isQuick: boolean

  /** `workspace` has the folders mount and source; the program's own ones are made in the source. */
  constructor(workspace: string, name: string, isQuick: boolean) {
    this.isQuick = isQuick
    this.mount = join(workspace, 'mount', name)
    this.source = join(workspace, 'source', name)
    this.scratch = join(workspace, 'scratch', name)
    for (const folder of [this.source, this.scratch]) mkdirSync(folder, { recursive: true })
  }

  /** Runs a command in a process of its own; what it has written. Throws when it fails or comes to no end. */
  async run(command: string, args: readonly string[], options: CommandOptions = {}): Promise<string> {
    return (await run(command, args, { deadline: COMMAND_MS, ...options })).stdout
  }

  /** As `run`, by bash, with $M, $S and $T for the folders on the mount, in the source and beside them. */
  async sh(script: string, options: CommandOptions = {}): Promise<string> {
    const env = { ...options.env, M: this.mount, S: this.source, T: this.scratch }
    return (await shell(script, [], { deadline: COMMAND_MS, ...options, env })).stdout
  }

  /** A script whose failure means that data is wrong. */
  async check(what: string, script: string, options: CommandOptions = {}): Promise<string> {
    try {
      return await this.sh(script, options)
    } catch (error) {
      throw new WrongData(`${what}: ${error instanceof Error ? error.message : String(error)}`)
    }
  }
}

/** Throws WrongData where they differ. */
export function expectSame(what: string, found: unknown, expected: unknown): void {
  const [is, should] = [JSON.stringify(found), JSON.stringify(expected)]
  if (is !== should) throw new WrongData(`${what}: ${is}, and not ${should}`)
}
