import type { OpenedDirectory } from '../../filesystem/file-system.js'
import { FsyncFlag } from '../../protocol/flags/io.js'
import { OpenOutFlag } from '../../protocol/flags/open.js'
import { OutHeader } from '../../protocol/structs/header.js'
import { ReadIn } from '../../protocol/structs/io.js'
import { FsyncIn, OpenIn, OpenOut, ReleaseIn } from '../../protocol/structs/open.js'
import { EntrySink } from '../entry-sink.js'
import { after, handler, nothing } from '../handler.js'
import { endHandle, released } from './handles.js'
import { stageLookup } from './names.js'
import { directoryAt, nodeOf, supports, u32, u64, unsupported } from './request.js'

export const opendir = handler<{ node: number; flags: number; opened: OpenedDirectory<unknown> }>({
  call: (serving, slot) => {
    const { fs } = serving
    const node = nodeOf(serving, slot)
    const flags = u32(slot, OpenIn.offset.flags)
    if (fs.opendir === undefined) return { node, flags, opened: { directory: undefined } }
    return after(fs.opendir(node, flags, slot), (opened) => ({ node, flags, opened }))
  },
  answer: (serving, slot, { node, flags, opened }) => {
    serving.passthrough.open(node, undefined)
    const handle = serving.files.addDirectory(node, flags, opened.directory)
    const openFlags =
      (opened.cacheEntries === true ? OpenOutFlag.CACHE_DIR : 0) |
      (opened.keepCache === true ? OpenOutFlag.KEEP_CACHE : 0)
    slot.reply.struct(OpenOut, { fh: handle, openFlags })
    serving.journal.handles.stageOpen(serving.journal.redo, handle)
    serving.outcome.opens(handle)
  },
})

function reading(plus: boolean) {
  return handler<EntrySink>({
    call: (serving, slot) => {
      const { fs } = serving
      if (!supports(fs, 'readdir')) unsupported()
      const { offset, size } = ReadIn.read(slot.frame.view, slot.frame.bodyAt)
      return after(directoryAt(serving, slot, ReadIn.offset.fh), (directory) => {
        const sink = new EntrySink(slot.reply, OutHeader.size, size, plus, serving.timeouts)
        return after(fs.readdir(directory.node, directory.state, offset, sink, slot), () => sink)
      })
    },
    answer: (serving, slot, sink) => {
      slot.reply.reserve(sink.length)
      for (const node of sink.nodes) stageLookup(serving, node)
    },
  })
}

export const readdir = reading(false)
export const readdirplus = reading(true)

export const releasedir = handler<unknown>({
  call: (serving, slot) => {
    const { fs } = serving
    const directory = serving.files.peek(u64(slot, ReleaseIn.offset.fh))
    if (directory === undefined || !supports(fs, 'releasedir')) return
    return released(() => fs.releasedir(directory.node, directory.state))
  },
  answer: endHandle,
})

export const fsyncdir = handler<unknown>({
  call: (serving, slot) => {
    const { fs } = serving
    if (!supports(fs, 'fsyncdir')) unsupported()
    const dataOnly = (u32(slot, FsyncIn.offset.fsyncFlags) & FsyncFlag.FDATASYNC) !== 0
    return after(directoryAt(serving, slot, FsyncIn.offset.fh), (directory) =>
      fs.fsyncdir(directory.node, directory.state, dataOnly, slot),
    )
  },
  answer: nothing,
})
