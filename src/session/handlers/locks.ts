import type { Lock } from '../../filesystem/file-system.js'
import { LkFlag } from '../../protocol/flags/io.js'
import { LkIn, LkOut } from '../../protocol/structs/lock.js'
import { after, handler, nothing } from '../handler.js'
import { fileAt, supports, unsupported } from './request.js'

export const getlk = handler<Lock>({
  call: (serving, slot) => {
    const { fs } = serving
    if (!supports(fs, 'getlk')) unsupported()
    const { owner, lk } = LkIn.read(slot.frame.view, slot.frame.bodyAt)
    return after(fileAt(serving, slot, LkIn.offset.fh), (file) =>
      fs.getlk(file.node, file.state, owner, lk, slot),
    )
  },
  answer: (_serving, slot, lk) => slot.reply.struct(LkOut, { lk }),
})

function setting(wait: boolean) {
  return handler<unknown>({
    call: (serving, slot) => {
      const { fs } = serving
      if (!supports(fs, 'setlk')) unsupported()
      const { owner, lk, lkFlags } = LkIn.read(slot.frame.view, slot.frame.bodyAt)
      const how = { wait, flock: (lkFlags & LkFlag.FLOCK) !== 0 }
      return after(fileAt(serving, slot, LkIn.offset.fh), (file) =>
        fs.setlk(file.node, file.state, owner, lk, how, slot),
      )
    },
    answer: nothing,
  })
}

export const setlk = setting(false)
export const setlkw = setting(true)
