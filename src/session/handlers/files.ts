import { fsError } from '../../errors/fs-error.js'
import type {
  Awaitable,
  Entry,
  FileSystem,
  HowOpened,
  NodeId,
  Opened,
  OpenedLater,
} from '../../filesystem/file-system.js'
import { FsyncFlag, IoctlFlag, PollFlag, ReadFlag, WriteFlag } from '../../protocol/flags/io.js'
import { OpenInFlag, OpenOutFlag, ReleaseFlag } from '../../protocol/flags/open.js'
import { EntryOut } from '../../protocol/structs/entry.js'
import {
  BmapIn,
  BmapOut,
  CopyFileRangeIn,
  CopyFileRangeOut,
  FallocateIn,
  LseekIn,
  LseekOut,
  ReadIn,
  WriteIn,
  WriteOut,
} from '../../protocol/structs/io.js'
import { IoctlIn, IoctlOut } from '../../protocol/structs/ioctl.js'
import { openFlags } from '../../protocol/linux.js'
import { CreateIn, FlushIn, FsyncIn, OpenIn, OpenOut, ReleaseIn } from '../../protocol/structs/open.js'
import type { PassthroughStrategy } from '../../passthrough/strategy.js'
import { OutHeader } from '../../protocol/structs/header.js'
import { PollIn, PollOut } from '../../protocol/structs/poll.js'
import type { U64 } from '../../protocol/u64.js'
import { entryOut } from '../encode.js'
import { after, handler, nothing, type Serving } from '../handler.js'
import { settleChange } from '../reconcile.js'
import type { RequestSlot } from '../request-slot.js'
import { changing, type ChangeOf } from './changing.js'
import { endHandle, released } from './handles.js'
import { entryOf, stageLookup } from './names.js'
import { fileAt, firstName, knownNode, nodeOf, supports, u32, u64, unsupported } from './request.js'

const O = openFlags(process.arch === 'arm64' ? 'arm64' : 'x64')
/** What CREATE asks for beyond opening (open(2)); OPEN is sent without it. */
const FOR_CREATION = O.CREAT | O.EXCL | O.NOCTTY | O.TRUNC

/** What was created is open; what an earlier life had created may be opened later. */
type CreatedOrFound = (Opened<unknown> | OpenedLater) & { entry: Entry }

/** Flags that the kernel allows beside PASSTHROUGH (fs/fuse/iomode.c); it refuses the open for any other. */
const BESIDE_PASSTHROUGH = OpenOutFlag.DIRECT_IO | OpenOutFlag.PARALLEL_DIRECT_WRITES | OpenOutFlag.NOFLUSH

function openFlagsOf(opened: HowOpened, passthrough: PassthroughStrategy | undefined): number {
  const asked =
    (opened.directIo === true ? OpenOutFlag.DIRECT_IO : 0) |
    (opened.keepCache === true ? OpenOutFlag.KEEP_CACHE : 0) |
    (opened.nonSeekable === true ? OpenOutFlag.NONSEEKABLE : 0) |
    (opened.stream === true ? OpenOutFlag.STREAM : 0) |
    (opened.noFlush === true ? OpenOutFlag.NOFLUSH : 0) |
    (opened.parallelDirectWrites === true ? OpenOutFlag.PARALLEL_DIRECT_WRITES : 0)
  if (passthrough !== undefined) return (asked & BESIDE_PASSTHROUGH) | passthrough.openFlags
  // What was to be passed through and is not will be written by the server, which then has something to flush.
  return opened.backing === undefined ? asked : asked & ~OpenOutFlag.NOFLUSH
}

/** Filled anew for each answer. */
const openOut = { fh: 0, openFlags: 0, backingId: 0 }

/** `flags`: those that it was asked with. */
function answerOpen(
  serving: Serving,
  slot: RequestSlot,
  node: NodeId,
  flags: number,
  opened: Opened<unknown> | OpenedLater,
): void {
  const { files, journal, outcome, passthrough } = serving
  const backingId = passthrough.open(node, opened.backing)
  const handle = files.add(node, flags, opened, backingId > 0)
  openOut.fh = handle
  openOut.openFlags = openFlagsOf(opened, backingId > 0 ? passthrough.strategy : undefined)
  openOut.backingId = backingId
  slot.reply.struct(OpenOut, openOut)
  journal.handles.stageOpen(journal.redo, handle)
  outcome.opens(handle)
}

function openNode(
  fs: FileSystem,
  node: NodeId,
  flags: number,
  killPrivileges: boolean,
  slot: RequestSlot,
): Awaitable<Opened<unknown> | OpenedLater> {
  return fs.open === undefined ? { file: undefined } : fs.open(node, flags, killPrivileges, slot)
}

export const open = handler<Opened<unknown> | OpenedLater>({
  call: (serving, slot) => {
    const { fs } = serving
    const node = nodeOf(serving, slot)
    const flags = u32(slot, OpenIn.offset.flags)
    const killPrivileges = (u32(slot, OpenIn.offset.openFlags) & OpenInFlag.KILL_SUIDGID) !== 0
    if (slot.begunBefore && (flags & O.TRUNC) !== 0 && fs.open !== undefined) {
      return openAgain(fs, { operation: 'open', node, flags, killPrivileges }, slot)
    }
    return openNode(fs, node, flags, killPrivileges, slot)
  },
  answer: (serving, slot, opened) => {
    answerOpen(serving, slot, slot.frame.nodeid as NodeId, u32(slot, OpenIn.offset.flags), opened)
  },
})

/** An open that truncates, and that an earlier life had begun. */
function openAgain(
  fs: FileSystem,
  change: ChangeOf<'open'>,
  slot: RequestSlot,
): Awaitable<Opened<unknown> | OpenedLater> {
  const { node, flags, killPrivileges } = change
  return settleChange(fs, change, slot, {
    carryOut: () => openNode(fs, node, flags, killPrivileges, slot),
    done: () => openNode(fs, node, flags & ~O.TRUNC, killPrivileges, slot),
  })
}

function answerCreated(
  serving: Serving,
  slot: RequestSlot,
  result: { flags: number; created: CreatedOrFound },
): void {
  const { created, flags } = result
  slot.reply.struct(EntryOut, entryOut(created.entry, serving.timeouts))
  if (serving.journal.nodes.slotOf(created.entry.node) < 0) throw fsError('ESTALE')
  // First the open: undoing it commits on its own and must not find anything staged.
  answerOpen(serving, slot, created.entry.node, flags, created)
  stageLookup(serving, created.entry.node)
}

export const create = changing<'create', { flags: number; created: CreatedOrFound }>({
  operation: 'create',
  read: (serving, slot) => {
    const { flags, mode, umask } = CreateIn.read(slot.frame.view, slot.frame.bodyAt)
    const parent = nodeOf(serving, slot)
    return { operation: 'create', parent, name: firstName(slot), flags, object: { mode, umask } }
  },
  carryOut: (fs, { parent, name, flags, object }, slot) =>
    after(fs.create(parent, name, flags, object, slot), (created) => ({ flags, created })),
  done: (fs, { flags, ...change }, slot) =>
    after(entryOf(fs, change, slot), (found) => {
      // A file system may answer with the same object each time, and opening may look it up.
      const entry = { ...found, attributes: { ...found.attributes } }
      return after(openNode(fs, entry.node, flags & ~FOR_CREATION, false, slot), (opened) => ({
        flags,
        created: { ...opened, entry },
      }))
    }),
  answer: answerCreated,
})

export const tmpfile = handler<{ flags: number; created: CreatedOrFound }>({
  call: (serving, slot) => {
    const { fs } = serving
    if (fs.tmpfile === undefined) unsupported()
    const { flags, mode, umask } = CreateIn.read(slot.frame.view, slot.frame.bodyAt)
    const created = fs.tmpfile(nodeOf(serving, slot), flags, { mode, umask }, slot)
    return after(created, (value) => ({ flags, created: value }))
  },
  answer: answerCreated,
})

export const read = handler<number>({
  call: (serving, slot) => {
    const { fs } = serving
    if (!supports(fs, 'read')) unsupported()
    const request = ReadIn.read(slot.frame.view, slot.frame.bodyAt)
    const owner = (request.readFlags & ReadFlag.LOCKOWNER) === 0 ? undefined : request.lockOwner
    const { offset, flags } = request
    const size = Math.min(request.size, slot.reply.buffer.length - OutHeader.size)
    // The data goes where the answer will have it; the request has been read out of these bytes already.
    const into = slot.reply.buffer.subarray(OutHeader.size, OutHeader.size + size)
    return after(fileAt(serving, slot, ReadIn.offset.fh), (file) =>
      fs.read(file.node, file.state, { offset, size, flags, lockOwner: owner }, into, slot),
    )
  },
  answer: (_serving, slot, length) => {
    slot.reply.reserve(length)
  },
})

export const write = handler<number>({
  call: (serving, slot) => {
    const { fs } = serving
    if (!supports(fs, 'write')) unsupported()
    const { offset, size, writeFlags, lockOwner, flags } = WriteIn.read(slot.frame.view, slot.frame.bodyAt)
    const data = slot.frame.data(slot.frame.namesAt, size)
    if (data === null) throw fsError('EINVAL')
    const request = {
      offset,
      data,
      flags,
      lockOwner: (writeFlags & WriteFlag.LOCKOWNER) === 0 ? undefined : lockOwner,
      fromCache: (writeFlags & WriteFlag.CACHE) !== 0,
      killPrivileges: (writeFlags & WriteFlag.KILL_SUIDGID) !== 0,
    }
    return after(fileAt(serving, slot, WriteIn.offset.fh), (file) =>
      fs.write(file.node, file.state, request, slot),
    )
  },
  answer: (_serving, slot, size) => slot.reply.struct(WriteOut, { size }),
})

export const flush = handler<unknown>({
  call: (serving, slot) => {
    const { fs } = serving
    if (fs.flush === undefined) unsupported()
    // What this life has not used has nothing to flush.
    const file = serving.files.peek(u64(slot, FlushIn.offset.fh))
    return file === undefined
      ? undefined
      : fs.flush(file.node, file.state, u64(slot, FlushIn.offset.lockOwner), slot)
  },
  answer: nothing,
})

export const release = handler<unknown>({
  call: (serving, slot) => {
    const { fs } = serving
    const file = serving.files.peek(u64(slot, ReleaseIn.offset.fh))
    if (file === undefined || !supports(fs, 'release')) return
    const { flags, releaseFlags, lockOwner } = ReleaseIn.read(slot.frame.view, slot.frame.bodyAt)
    const flockOwner = (releaseFlags & ReleaseFlag.FLOCK_UNLOCK) === 0 ? undefined : lockOwner
    return released(() => fs.release(file.node, file.state, flags, flockOwner))
  },
  answer: endHandle,
})

export const fsync = handler<unknown>({
  call: (serving, slot) => {
    const { fs } = serving
    if (!supports(fs, 'fsync')) unsupported()
    const dataOnly = (u32(slot, FsyncIn.offset.fsyncFlags) & FsyncFlag.FDATASYNC) !== 0
    return after(fileAt(serving, slot, FsyncIn.offset.fh), (file) =>
      fs.fsync(file.node, file.state, dataOnly, slot),
    )
  },
  answer: nothing,
})

export const fallocate = handler<unknown>({
  call: (serving, slot) => {
    const { fs } = serving
    if (!supports(fs, 'fallocate')) unsupported()
    const { mode, offset, length } = FallocateIn.read(slot.frame.view, slot.frame.bodyAt)
    return after(fileAt(serving, slot, FallocateIn.offset.fh), (file) =>
      fs.fallocate(file.node, file.state, mode, offset, length, slot),
    )
  },
  answer: nothing,
})

export const lseek = handler<U64>({
  call: (serving, slot) => {
    const { fs } = serving
    // With the writeback cache the kernel asks without having sent what it holds: a file just written would be all hole.
    // When this is not supported it takes all for data.
    if (!supports(fs, 'lseek') || serving.agreement?.writebackCache === true) unsupported()
    const { offset, whence } = LseekIn.read(slot.frame.view, slot.frame.bodyAt)
    return after(fileAt(serving, slot, LseekIn.offset.fh), (file) =>
      fs.lseek(file.node, file.state, offset, whence, slot),
    )
  },
  answer: (_serving, slot, offset) => slot.reply.struct(LseekOut, { offset }),
})

function copy(serving: Serving, slot: RequestSlot): Awaitable<U64> {
  const { fs } = serving
  if (!supports(fs, 'copyFileRange')) unsupported()
  const request = CopyFileRangeIn.read(slot.frame.view, slot.frame.bodyAt)
  const nodeOut = knownNode(serving, request.nodeidOut)
  return after(serving.files.get(request.fhIn), (from) =>
    after(serving.files.get(request.fhOut), (to) =>
      fs.copyFileRange(
        from.node,
        from.state,
        {
          offsetIn: request.offIn,
          nodeOut,
          fileOut: to.state,
          offsetOut: request.offOut,
          length: request.len,
          flags: Number(request.flags),
        },
        slot,
      ),
    ),
  )
}

/** The older form answers with 32 bits: it copies no more than these can tell. */
export const copyFileRange = handler<U64>({
  call: copy,
  answer: (_serving, slot, copied) => slot.reply.struct(WriteOut, { size: Number(copied) }),
})

export const copyFileRange64 = handler<U64>({
  call: copy,
  answer: (_serving, slot, copied) => slot.reply.struct(CopyFileRangeOut, { bytesCopied: copied }),
})

export const bmap = handler<U64>({
  call: (serving, slot) => {
    if (serving.fs.bmap === undefined) unsupported()
    const { block, blocksize } = BmapIn.read(slot.frame.view, slot.frame.bodyAt)
    return serving.fs.bmap(nodeOf(serving, slot), block, blocksize, slot)
  },
  answer: (_serving, slot, block) => slot.reply.struct(BmapOut, { block }),
})

export const ioctl = changing<'ioctl', { result: number; output: Uint8Array }>({
  operation: 'ioctl',
  read: (serving, slot) => {
    const { cmd, arg, flags, inSize, outSize } = IoctlIn.read(slot.frame.view, slot.frame.bodyAt)
    // Unrestricted ioctls are for character devices in user space.
    if ((flags & IoctlFlag.UNRESTRICTED) !== 0) throw fsError('ENOSYS')
    const input = slot.frame.data(slot.frame.namesAt, inSize)
    if (input === null) throw fsError('EINVAL')
    const request = { command: cmd, argument: arg, flags, input, outputSize: outSize }
    const change = (node: NodeId, file: unknown) => ({ operation: 'ioctl', node, file, request }) as const
    return after(fileAt(serving, slot, IoctlIn.offset.fh), ({ node, state }) => change(node, state))
  },
  carryOut: (fs, { node, file, request }, slot) => fs.ioctl(node, file, request, slot),
  done: () => ({ result: 0, output: new Uint8Array(0) }),
  answer: (_serving, slot, { result, output }) => {
    slot.reply.struct(IoctlOut, { result, flags: 0 })
    slot.reply.bytes(output)
  },
})

export const poll = handler<number>({
  call: (serving, slot) => {
    const { fs } = serving
    if (!supports(fs, 'poll')) unsupported()
    const { kh, flags, events } = PollIn.read(slot.frame.view, slot.frame.bodyAt)
    const wakeup = (flags & PollFlag.SCHEDULE_NOTIFY) === 0 ? undefined : kh
    return after(fileAt(serving, slot, PollIn.offset.fh), (file) => {
      if (wakeup !== undefined) serving.journal.handles.setWakeup(file.handle, Number(wakeup))
      return fs.poll(file.node, file.state, events, wakeup, slot)
    })
  },
  answer: (_serving, slot, revents) => slot.reply.struct(PollOut, { revents }),
})
