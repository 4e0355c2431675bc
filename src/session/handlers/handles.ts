import type { Awaitable } from '../../filesystem/file-system.js'
import type { U64 } from '../../protocol/u64.js'
import { reportFailure } from '../failures.js'
import type { Serving } from '../handler.js'

/** For the kernel the handle is gone whatever the answer says: a release that fails ends it as well. */
export function ended(fh: U64, release: () => Awaitable<void>): Awaitable<U64> {
  const failed = (error: unknown): U64 => {
    reportFailure(error)
    return fh
  }
  try {
    const result = release()
    return result instanceof Promise ? result.then(() => fh, failed) : fh
  } catch (error) {
    return failed(error)
  }
}

/** A handle ends with the answer that is being built; the backing id of its node with the last one. */
export function endHandle(serving: Serving, fh: U64): void {
  const facts = serving.files.facts(fh)
  if (facts === undefined) return
  const handle = fh as number
  const { journal, passthrough } = serving
  const slot = journal.handles.stageClose(journal.redo, handle)
  const closing = passthrough.stageClose(facts.node, facts.passthrough)
  serving.files.drop(handle)
  serving.afterAnswer(() => {
    journal.handles.finishClose(slot)
    if (closing) passthrough.closeStaged()
    serving.closed(facts.node)
  })
}
