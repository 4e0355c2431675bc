import { Errno } from '../../errors/errno.js'
import type { Caller } from '../request.js'
import type { RuleLog } from '../rules.js'
import type { DriverRequest } from './driver-request.js'
import type { RequestQueue } from './request-queue.js'

/**
 * Has a caller wait the way request_wait_answer (fs/fuse/dev.c) does: its first signal becomes an INTERRUPT; a fatal
 * one ends the wait if the request has not been read, and is without effect otherwise, even if the request is put back
 * later. The result ends the watch on signals.
 */
export function waitForAnswer(
  request: DriverRequest,
  caller: Caller,
  options: { readonly queue: RequestQueue; readonly interrupts: boolean; readonly log: RuleLog },
): () => void {
  const { queue, interrupts, log } = options
  let mayBeInterrupted = interrupts
  let mayBeKilled = !request.isForced
  const end = caller.onSignal?.((fatal) => {
    if (request.state === 'ended') return
    if (mayBeInterrupted) {
      mayBeInterrupted = false
      request.interrupted = true
      queue.interrupt(request)
    }
    if (!fatal || !mayBeKilled) return
    if (request.state === 'queued') {
      log.met('D13')
      queue.remove(request)
      request.fail(Errno.EINTR)
    } else {
      log.met('D14')
      mayBeKilled = false
    }
  })
  return end ?? (() => undefined)
}
