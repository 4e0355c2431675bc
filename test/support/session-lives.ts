import type { FileSystem } from '../../src/filesystem/file-system.js'
import type { Keeper } from '../../src/filesystem/host.js'
import { Journal } from '../../src/journal/journal.js'
import { PrivateMemory, type JournalMemory } from '../../src/journal/memory.js'
import { strategies, type PassthroughStrategy } from '../../src/passthrough/strategy.js'
import { Session, type SessionEnd, type SessionOptions } from '../../src/session/session.js'
import { wantedCapabilities } from '../../src/session/wanted.js'
import { initFlags } from '../../src/protocol/flags/init.js'
import { TestKernel } from './test-kernel.js'

const keeper: Keeper = { keep: () => false, take: () => -1, drop: () => undefined }

const wanted = { ...wantedCapabilities({ passthrough: true, maxStackDepth: 1, defaultPermissions: true }) }

/** What a kernel of Linux 6.12 and later offers at INIT. */
export const KERNEL_INIT = {
  major: 7,
  minor: 45,
  maxReadahead: 1 << 17,
  ...initFlags(...wanted.required!, ...wanted.optional!, 'INIT_EXT', 'BIG_WRITES', 'MAX_PAGES'),
}

export function sessionOptions(
  kernel: TestKernel,
  memory: JournalMemory,
  fs: FileSystem,
  step?: () => void,
  strategy: PassthroughStrategy = strategies.journal,
  frames = 2,
): SessionOptions {
  let journal: Journal
  try {
    journal = Journal.open(memory)
  } catch {
    journal = Journal.create(memory, frames)
  }
  const transport = kernel.connect(step)
  return { fs, journal, transport, keeper, wanted, strategy, timeouts: { entry: 1, attributes: 1 } }
}

/** A session at work, with the kernel it serves. */
export interface Serving {
  readonly kernel: TestKernel
  readonly session: Session
  readonly memory: JournalMemory
  readonly ended: Promise<SessionEnd>
}

/** Serves a file system; INIT has been answered. */
export async function serveTo(
  fs: FileSystem,
  options: Partial<SessionOptions> & { readonly frames?: number } = {},
  kernel = new TestKernel(),
  memory: JournalMemory = new PrivateMemory(),
): Promise<Serving> {
  const base = sessionOptions(kernel, memory, fs, undefined, undefined, options.frames)
  const session = new Session({ ...base, ...options })
  await session.prepare()
  session.takeOver()
  const ended = session.run()
  if (!session.initialised) await kernel.must('INIT', 0, { body: KERNEL_INIT })
  return { kernel, session, memory, ended }
}
