import { fsError } from '../../errors/fs-error.js'

/** The result of a system call, or its errno as what a file system throws. */
export function orThrow(result: number): number {
  if (result < 0) throw fsError(-result)
  return result
}
