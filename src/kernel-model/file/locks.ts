import { LkFlag } from '../../protocol/flags/io.js'
import { FlockOperation, LockType } from '../../protocol/linux.js'
import type { U64 } from '../../protocol/u64.js'
import type { SuperBlock } from '../super-block.js'
import { failure } from '../vfs/failure.js'
import type { RecordLock } from '../vfs/process-types.js'
import type { Task } from '../vfs/task.js'
import { FileLocks, type HeldLock, type LockTable } from './lock-table.js'
import type { OpenFile } from './open-file.js'

/** The last byte that a lock may name. */
const TO_THE_END = (1n << 63n) - 1n

/** flock(2): the server's affair with FLOCK_LOCKS, else the kernel's. */
export async function flockFile(
  fs: SuperBlock,
  file: OpenFile,
  operation: number,
  task: Task,
): Promise<void> {
  const waits = (operation & FlockOperation.NB) === 0
  const kind = operation & ~FlockOperation.NB
  const isKnown = kind === FlockOperation.SH || kind === FlockOperation.EX || kind === FlockOperation.UN
  if (!isKnown) throw failure('EINVAL')
  const exclusive = kind === FlockOperation.EX
  const owner = file.flockOwner
  const lock: HeldLock = { owner, pid: task.pid, exclusive, start: 0, end: Infinity }
  if (fs.agreement.has('FLOCK_LOCKS')) {
    const type = kind === FlockOperation.UN ? 'unlock' : exclusive ? 'write' : 'read'
    if (fs.profile.unlocksRefusedFlock) file.flockAsked = true
    await askServer(fs, file, { type, start: 0, end: Infinity }, owner, waits, true, task)
    file.flockAsked = true
    return
  }
  const { whole } = (file.inode.locks ??= new FileLocks())
  if (kind === FlockOperation.UN) whole.release(owner)
  else await takeLocal(whole, lock, waits, task)
}

/** fcntl(2) with F_SETLK or F_SETLKW. */
export async function setRecordLock(
  fs: SuperBlock,
  file: OpenFile,
  lock: RecordLock,
  waits: boolean,
  task: Task,
): Promise<void> {
  if ((lock.type === 'read' && !file.canRead) || (lock.type === 'write' && !file.canWrite))
    throw failure('EBADF')
  if (lock.start < 0 || lock.end < lock.start) throw failure('EINVAL')
  if (fs.agreement.has('POSIX_LOCKS')) {
    await askServer(fs, file, lock, task.filesId, waits, false, task)
    return
  }
  const { records } = (file.inode.locks ??= new FileLocks())
  if (lock.type === 'unlock') records.release(task.filesId, lock.start, lock.end)
  else await takeLocal(records, heldBy(task, lock), waits, task)
}

/** fcntl(2) with F_GETLK: the lock in the way. */
export async function getRecordLock(
  fs: SuperBlock,
  file: OpenFile,
  lock: RecordLock,
  task: Task,
): Promise<RecordLock | undefined> {
  if (!fs.agreement.has('POSIX_LOCKS')) {
    const held = file.inode.locks?.records.conflict(heldBy(task, lock))
    if (held === undefined) return undefined
    const { start, end, pid } = held
    return { type: held.exclusive ? 'write' : 'read', start, end, pid }
  }
  const body = lockBody(file, lock, task.filesId, 0, 0)
  const { lk } = await fs.ask('GETLK', file.inode.nodeid, { body }, task)
  if (lk.type === LockType.UNLCK) return undefined
  const [start, end] = [BigInt(lk.start), BigInt(lk.end)]
  const isKnown = lk.type === LockType.RDLCK || lk.type === LockType.WRLCK
  if (!isKnown || start > TO_THE_END || end > TO_THE_END || end < start) throw failure('EIO')
  const type = lk.type === LockType.WRLCK ? 'write' : 'read'
  return { type, start: Number(start), end: end === TO_THE_END ? Infinity : Number(end), pid: lk.pid }
}

/** A process closes one of its descriptors of a file: its record locks on the file go (locks_remove_posix). */
export function dropRecordLocks(file: OpenFile, task: Task): void {
  file.inode.locks?.records.release(task.filesId)
}

/** The open file goes, and its flock(2) lock with it. */
export function dropFlock(file: OpenFile): void {
  file.inode.locks?.whole.release(file.flockOwner)
}

function heldBy(task: Task, { type, start, end }: RecordLock): HeldLock {
  return { owner: task.filesId, pid: task.pid, exclusive: type === 'write', start, end }
}

async function takeLocal(table: LockTable, lock: HeldLock, waits: boolean, task: Task): Promise<void> {
  const signal = { came: false }
  const end = task.onSignal?.(() => {
    signal.came = true
    table.wake()
  })
  try {
    while (table.conflict(lock) !== undefined) {
      if (!waits) throw failure('EAGAIN')
      await table.wait(lock, () => signal.came)
      if (signal.came) throw failure('EINTR')
    }
    table.take(lock)
  } finally {
    end?.()
  }
}

async function askServer(
  fs: SuperBlock,
  file: OpenFile,
  lock: RecordLock,
  owner: number,
  waits: boolean,
  whole: boolean,
  task: Task,
): Promise<void> {
  const opcode = waits ? 'SETLKW' : 'SETLK'
  const pid = lock.type === 'unlock' ? 0 : task.pid
  const body = lockBody(file, lock, owner, pid, whole ? LkFlag.FLOCK : 0)
  await fs.ask(opcode, file.inode.nodeid, { body }, task)
}

function lockBody(
  file: OpenFile,
  lock: RecordLock,
  owner: number,
  pid: number,
  lkFlags: number,
): LockRequest {
  const types = { read: LockType.RDLCK, write: LockType.WRLCK, unlock: LockType.UNLCK }
  const end = lock.end === Infinity ? TO_THE_END : lock.end
  return { fh: file.fh, owner, lk: { start: lock.start, end, type: types[lock.type], pid }, lkFlags }
}

interface LockRequest {
  readonly fh: U64
  readonly owner: number
  readonly lk: { readonly start: number; readonly end: U64; readonly type: number; readonly pid: number }
  readonly lkFlags: number
}
