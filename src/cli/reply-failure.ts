import { FuseError } from '../errors/index.js'
import type { ControlReply } from '../recovery/control.js'

/** A supervisor's refusal, as the error that it is for the command. */
export function replyFailure(reply: ControlReply): FuseError {
  if (reply.type !== 'failed') {
    return new FuseError('ERR_SUPERVISOR', { problem: `it answered ${reply.type} to another question` })
  }
  const { message, remedy } = reply
  return new FuseError('ERR_SUPERVISOR', { problem: message }, remedy === undefined ? {} : { remedy })
}
