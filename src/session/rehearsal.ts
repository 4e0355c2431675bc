import type { FileSystem } from '../filesystem/file-system.js'
import { Journal } from '../journal/journal.js'
import { PrivateMemory } from '../journal/memory.js'
import { ROOT_ID } from '../journal/nodes.js'
import { encodeRequest } from '../protocol/encode-request.js'
import type { RequestHeader } from '../protocol/request.js'
import { OutHeader } from '../protocol/structs/header.js'
import { OpenOut } from '../protocol/structs/open.js'
import { readU64 } from '../protocol/u64.js'
import { MemoryTransport } from '../transport/memory.js'
import { Session, type SessionOptions } from './session.js'

const ROUNDS = 50
const NAME = new TextEncoder().encode('.evermount rehearsal')
const NOTHING = { names: [], payload: null, extensions: null } as const

/**
 * Runs a scratch session with a file system of its own over a handful of reading requests, so that the code which a
 * takeover needs first has been run before. Nothing of it reaches a kernel or the mount's journal.
 */
export async function rehearse(
  fs: FileSystem,
  options: Omit<SessionOptions, 'transport' | 'journal' | 'fs'>,
): Promise<void> {
  const transport = new MemoryTransport()
  const session = new Session({ ...options, fs, transport, journal: Journal.create(new PrivateMemory(), 2) })
  await session.prepare()
  session.takeOver()
  const serving = session.run()
  let uniqueId = 0
  for (let round = 0; round < ROUNDS; round++) {
    const header = (): RequestHeader => {
      uniqueId += 2
      return { uniqueId, resent: false, nodeid: ROOT_ID, uid: 0, gid: 0, pid: 0 }
    }
    const getattr = { getattrFlags: 0, fh: 0 }
    await transport.ask(encodeRequest({ ...NOTHING, opcode: 'GETATTR', header: header(), body: getattr }))
    await transport.ask(
      encodeRequest({ ...NOTHING, opcode: 'LOOKUP', header: header(), body: null, names: [NAME] }),
    )
    const opendir = { flags: 0, openFlags: 0 }
    const opened = await transport.ask(
      encodeRequest({ ...NOTHING, opcode: 'OPENDIR', header: header(), body: opendir }),
    )
    if (opened.length < OutHeader.size + OpenOut.size) continue
    const fh = readU64(new DataView(opened.buffer), OutHeader.size + OpenOut.offset.fh)
    const release = { fh, flags: 0, releaseFlags: 0, lockOwner: 0 }
    await transport.ask(encodeRequest({ ...NOTHING, opcode: 'RELEASEDIR', header: header(), body: release }))
  }
  transport.end()
  await serving
  await fs.stop?.()
}
