import { CommanderError } from 'commander'
import { isFuseError } from '../errors/index.js'

/** What the command ends with. */
export const ExitStatus = {
  ok: 0,
  failure: 1,
  usage: 2,
  /** This machine lacks what the command needs: /dev/fuse, or the privilege. */
  unable: 3,
} as const

export function exitStatusOf(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? ExitStatus.ok : ExitStatus.usage
  return isFuseError(error, 'ERR_USAGE') ? ExitStatus.usage : ExitStatus.failure
}
