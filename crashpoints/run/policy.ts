import { RequestRecord } from '../../src/journal/layout.js'
import { RequestTable } from '../../src/journal/requests.js'
import { Opcode, opcodeName, type OpcodeName } from '../../src/protocol/opcode.js'
import { replayPolicies } from '../../src/session/replay-policy.js'

/** Opcodes of requests for which an intent has been written down. */
const intended = new Set<number>()

// eslint-disable-next-line @typescript-eslint/unbound-method -- it is called on the table at hand
const intend = RequestTable.prototype.intend
RequestTable.prototype.intend = function (this: RequestTable, slot: number, evidence: Uint8Array): void {
  intended.add(this.area.u32(slot * RequestRecord.bytes + RequestRecord.opcode))
  intend.call(this, slot, evidence)
}

/**
 * What the kernel does not send to a mirror: it keeps locks itself, judges access itself, sends the younger form of two,
 * and has no use for the rest with a file system that is neither a device nor virtiofs.
 */
const NEVER_SENT: ReadonlySet<OpcodeName> = new Set([
  ...(['GETLK', 'SETLK', 'SETLKW', 'ACCESS', 'BMAP', 'IOCTL', 'POLL', 'DESTROY', 'NOTIFY_REPLY'] as const),
  ...(['SETUPMAPPING', 'REMOVEMAPPING', 'CUSE_INIT', 'COPY_FILE_RANGE', 'SYNCFS'] as const),
])

/** Where the operations that were played leave something of the table of replay policies without proof. */
export function policyGaps(received: ReadonlySet<number>): string[] {
  const gaps: string[] = []
  for (const [name, { kind }] of Object.entries(replayPolicies) as [OpcodeName, { kind: string }][]) {
    const opcode = Opcode[name]
    if (!received.has(opcode) && !NEVER_SENT.has(name)) gaps.push(`${name} was never received`)
    if (received.has(opcode) && (kind === 'intent') !== intended.has(opcode)) {
      gaps.push(
        `${name} ${kind === 'intent' ? 'wrote down no intent' : 'wrote down an intent'}, against its policy`,
      )
    }
  }
  for (const opcode of received)
    if (opcodeName(opcode) === undefined) gaps.push(`opcode ${opcode} has no policy`)
  return gaps
}
