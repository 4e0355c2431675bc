/**
 * The example of notes, whose server dies of a change: once for each file in the directory `faults`, named after the
 * operation, when it has changed something and said nothing of it; of `reconcile` when it has been asked.
 */
import { existsSync, unlinkSync } from 'node:fs'
import { join } from 'node:path'
import * as notes from '../../examples/notes.mjs'

export function createFileSystem({ directory, faults }) {
  const fs = notes.createFileSystem({ directory })
  for (const operation of ['create', 'write', 'rename', 'unlink', 'open', 'reconcile']) {
    const original = fs[operation]
    fs[operation] = function (...given) {
      const result = original.apply(this, given)
      const fault = join(faults, operation)
      if (!existsSync(fault)) return result
      unlinkSync(fault)
      process.kill(process.pid, 'SIGKILL')
    }
  }
  return fs
}
