import { channel } from 'node:diagnostics_channel'
import { FsError } from '../errors/fs-error.js'

/** Published for each error that is not the file system's own FsError: `{ error, opcode? }`. */
const failures = channel('evermount:operation-error')

export function reportFailure(error: unknown, opcode?: number): void {
  if (!(error instanceof FsError)) failures.publish({ error, opcode })
}

/** Work of the file system that nobody waits for and whose failure changes nothing. */
export function inPassing(work: () => unknown): void {
  try {
    const result = work()
    if (result instanceof Promise) result.catch(reportFailure)
  } catch (error) {
    reportFailure(error)
  }
}
