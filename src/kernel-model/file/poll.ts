import { PollFlag } from '../../protocol/flags/io.js'
import { PollEvent } from '../../protocol/linux.js'
import type { SuperBlock } from '../super-block.js'
import { failure, isFailure } from '../vfs/failure.js'
import type { Task } from '../vfs/task.js'
import type { OpenFile } from './open-file.js'

const ALWAYS = PollEvent.ERR | PollEvent.HUP
const READY = PollEvent.IN | PollEvent.OUT | PollEvent.RDNORM | PollEvent.WRNORM

/** poll(2) of one file: what is ready now or, if it may wait, once something is (fuse_file_poll). */
export async function pollFile(
  fs: SuperBlock,
  file: OpenFile,
  events: number,
  waits: boolean,
  task: Task,
): Promise<number> {
  const wanted = events | ALWAYS
  let wakeups = 0
  const signal = { came: false }
  const end = task.onSignal?.(() => {
    signal.came = true
    file.pollers.wake()
  })
  try {
    for (;;) {
      const before = file.wakeups
      const ready = (await readyEvents(fs, file, wanted, waits && wakeups === 0, task)) & wanted
      if (ready !== 0 || !waits) return ready
      wakeups++
      await file.pollers.until(() => signal.came || file.wakeups !== before)
      if (signal.came) throw failure('EINTR')
    }
  } finally {
    end?.()
  }
}

async function readyEvents(
  fs: SuperBlock,
  file: OpenFile,
  events: number,
  notify: boolean,
  task: Task,
): Promise<number> {
  if (!file.inode.isFile || fs.missing.has('POLL')) return READY
  const flags = notify ? PollFlag.SCHEDULE_NOTIFY : 0
  if (notify) fs.polled.set(file.pollHandle, file)
  const body = { fh: file.fh, kh: file.pollHandle, flags, events }
  try {
    return (await fs.askIfKnown('POLL', file.inode.nodeid, { body }, task, 'ENOSYS')).revents
  } catch (error) {
    return isFailure(error, 'ENOSYS') ? READY : PollEvent.ERR
  }
}
