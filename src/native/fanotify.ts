import { close } from './descriptor.js'
import { type NativeCall, asCString, checked, libc } from './libc.js'

const initCall = libc.func('int fanotify_init(unsigned int, unsigned int)') as NativeCall<[number, number]>
const markCall = libc.func('int fanotify_mark(int, unsigned int, uint64_t, int, void *)') as NativeCall<
  [number, number, number, number, Uint8Array]
>

/** What happened to an object or a name (linux/fanotify.h). */
export const FAN = {
  MODIFY: 0x2,
  ATTRIB: 0x4,
  CLOSE_WRITE: 0x8,
  MOVED_FROM: 0x40,
  MOVED_TO: 0x80,
  CREATE: 0x100,
  DELETE: 0x200,
  Q_OVERFLOW: 0x4000,
  ONDIR: 0x4000_0000,
} as const

/** Of fanotify_init(2). */
const CLOEXEC = 0x1
const NONBLOCK = 0x2
const REPORT_FID = 0x200
const REPORT_DIR_FID = 0x400
const REPORT_NAME = 0x800
/** Events on names tell the object as well (Linux 5.17). */
const REPORT_TARGET_FID = 0x1000

/** Of fanotify_mark(2). */
const MARK_ADD = 0x1
const MARK_FILESYSTEM = 0x100

/**
 * All that changes names, attributes or contents. CLOSE_WRITE, since writing through a mapping is told by nothing
 * else: it comes when the mapping is gone and the file closed.
 */
const CHANGES =
  FAN.MODIFY |
  FAN.ATTRIB |
  FAN.CLOSE_WRITE |
  FAN.MOVED_FROM |
  FAN.MOVED_TO |
  FAN.CREATE |
  FAN.DELETE |
  FAN.ONDIR

const dot = asCString(new Uint8Array([0x2e, 0]))

/**
 * A fanotify descriptor that tells all changes on the file system of a directory, by file handles: read it, see
 * fanotify-events.ts. Non-blocking, close-on-exec; its queue is the open file's, whoever reads. The queue is bounded
 * (fs.fanotify.max_queued_events). `dirfd` may be O_PATH. Or -errno: -EPERM without CAP_SYS_ADMIN, -EOPNOTSUPP, -ENODEV
 * or -EXDEV where the file system's objects cannot be told by handle.
 */
export function watchFileSystem(dirfd: number): number {
  const flags = CLOEXEC | NONBLOCK | REPORT_FID | REPORT_DIR_FID | REPORT_NAME | REPORT_TARGET_FID
  const fd = checked(initCall(flags, 0))
  if (fd < 0) return fd
  const result = checked(markCall(fd, MARK_ADD | MARK_FILESYSTEM, CHANGES, dirfd, dot))
  if (result === 0) return fd
  close(fd)
  return result
}
