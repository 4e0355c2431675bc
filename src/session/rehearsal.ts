import type { FileSystem } from '../filesystem/file-system.js'
import { Journal } from '../journal/journal.js'
import { PrivateMemory } from '../journal/memory.js'
import { ROOT_ID } from '../journal/nodes.js'
import { encodeRequest } from '../protocol/encode-request.js'
import type { Request } from '../protocol/request.js'
import { OutHeader } from '../protocol/structs/header.js'
import { OpenOut } from '../protocol/structs/open.js'
import { readU64 } from '../protocol/u64.js'
import { MemoryTransport } from '../transport/memory.js'
import { Session, type SessionOptions } from './session.js'

const ROUNDS = 50
const NAME = new TextEncoder().encode('.evermount rehearsal')

/**
 * Runs two scratch lives over a handful of reading requests, the second taking over from the first, so that the code
 * which a takeover needs first has been run before. Nothing of it reaches a kernel or the mount's journal.
 */
export async function rehearse(
  makeFileSystem: () => Promise<FileSystem>,
  options: Omit<SessionOptions, 'transport' | 'journal' | 'fs'>,
): Promise<void> {
  const journal = Journal.create(new PrivateMemory(), 2)
  for (let life = 0; life < 2; life++) await play(await makeFileSystem(), journal, options)
}

async function play(
  fs: FileSystem,
  journal: Journal,
  options: Omit<SessionOptions, 'transport' | 'journal' | 'fs'>,
): Promise<void> {
  const transport = new MemoryTransport()
  const session = new Session({ ...options, fs, transport, journal })
  await session.prepare()
  session.takeOver()
  const serving = session.run()
  let uniqueId = 0
  const ask = (
    request: Omit<Request, 'header' | 'payload' | 'extensions'>,
  ): Promise<Uint8Array<ArrayBuffer>> => {
    uniqueId += 2
    const header = { uniqueId, resent: false, nodeid: ROOT_ID, uid: 0, gid: 0, pid: 0 }
    return transport.ask(encodeRequest({ ...request, header, payload: null, extensions: null } as Request))
  }
  for (let round = 0; round < ROUNDS; round++) {
    await ask({ opcode: 'GETATTR', body: { getattrFlags: 0, fh: 0 }, names: [] })
    await ask({ opcode: 'LOOKUP', body: null, names: [NAME] })
    const opened = await ask({ opcode: 'OPENDIR', body: { flags: 0, openFlags: 0 }, names: [] })
    if (opened.length < OutHeader.size + OpenOut.size) continue
    const fh = readU64(new DataView(opened.buffer), OutHeader.size + OpenOut.offset.fh)
    const release = { fh, flags: 0, releaseFlags: 0, lockOwner: 0 }
    await ask({ opcode: 'RELEASEDIR', body: release, names: [] })
  }
  transport.end()
  await serving
  await fs.stop?.()
}
