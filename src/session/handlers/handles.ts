import type { Awaitable } from '../../filesystem/file-system.js'
import { ReleaseIn } from '../../protocol/structs/open.js'
import { reportFailure } from '../failures.js'
import type { Serving } from '../handler.js'
import type { RequestSlot } from '../request-slot.js'
import { u64 } from './request.js'

/** For the kernel the handle is gone whatever the answer says: a release that fails ends it as well. */
export function released(release: () => Awaitable<void>): Awaitable<void> {
  try {
    const result = release()
    return result instanceof Promise ? result.catch(reportFailure) : undefined
  } catch (error) {
    reportFailure(error)
  }
}

/** The handle of a RELEASE or RELEASEDIR ends with the answer that is being built; the backing id of its node with the last one. */
export function endHandle(serving: Serving, request: RequestSlot): void {
  const { files, journal, outcome, passthrough } = serving
  const { handles } = journal
  const fh = u64(request, ReleaseIn.offset.fh)
  const slot = typeof fh === 'number' ? handles.slotOf(fh) : -1
  if (slot < 0) return
  const node = handles.nodeOf(slot)
  handles.stageClose(journal.redo, slot)
  const closesIds = passthrough.stageClose(node, handles.isPassthrough(slot))
  files.drop(fh as number)
  outcome.ends(slot, node, closesIds)
}
