// System calls with answers a test can compare: a value, or the name of the errno.
import { errnoName } from '../../../../dist/errors/index.js'
import {
  AT,
  O,
  STATFS_SIZE,
  STATX_SIZE,
  StatxMask,
  close,
  cstring,
  fstatfs,
  getxattr,
  listxattr,
  openat,
  removexattr,
  setxattr,
  statx,
  utimensat,
} from '../../../../dist/native/index.js'

export * from '../../../../dist/native/index.js'

/** The result itself, or the errno's name. */
export function named(result) {
  return typeof result === 'number' && result < 0 ? (errnoName(-result) ?? String(result)) : result
}

/** What a function returns, or the code it throws. */
export function attempt(action) {
  try {
    return action() ?? 'ok'
  } catch (error) {
    return error.code ?? String(error)
  }
}

export function open(path, flags, mode = 0o666) {
  return openat(AT.FDCWD, cstring(path), flags | O.CLOEXEC, mode)
}

/** Opens or throws. */
export function mustOpen(path, flags, mode = 0o666) {
  const fd = open(path, flags, mode)
  if (fd < 0) throw Object.assign(new Error(`open ${path}: ${named(fd)}`), { code: named(fd) })
  return fd
}

/** Runs an action with a descriptor of an object, a symbolic link too. */
function at(path, action) {
  const fd = open(path, O.PATH | O.NOFOLLOW)
  if (fd < 0) return named(fd)
  try {
    return action(fd)
  } finally {
    close(fd)
  }
}

export const xattr = {
  get: (path, name) =>
    at(path, (fd) => {
      const buffer = Buffer.alloc(65536)
      const length = getxattr(fd, cstring(name), buffer)
      return length < 0 ? named(length) : buffer.subarray(0, length).toString('latin1')
    }),
  set: (path, name, value, flags = 0) =>
    at(path, (fd) => named(setxattr(fd, cstring(name), Buffer.from(value, 'latin1'), flags))),
  remove: (path, name) => at(path, (fd) => named(removexattr(fd, cstring(name)))),
  list: (path) =>
    at(path, (fd) => {
      const buffer = Buffer.alloc(65536)
      const length = listxattr(fd, buffer)
      if (length < 0) return named(length)
      return buffer.subarray(0, length).toString('latin1').split('\0').slice(0, -1).sort()
    }),
}

/** Every attribute with its value, in the order of the names. */
export function allXattrs(path) {
  const names = xattr.list(path)
  return Array.isArray(names) ? names.map((name) => [name, xattr.get(path, name)]) : names
}

const UTIME_OMIT_TIME = 0x3ffffffen

/** Sets times given in nanoseconds since 1970 (bigint, may be negative); undefined leaves one as it is. */
export function setTimes(path, atime, mtime) {
  const times = new BigInt64Array(4)
  for (const [index, time] of [atime, mtime].entries()) {
    const seconds = time === undefined ? 0n : time / 10n ** 9n - (time % 10n ** 9n < 0n ? 1n : 0n)
    times[index * 2] = seconds
    times[index * 2 + 1] = time === undefined ? UTIME_OMIT_TIME : time - seconds * 10n ** 9n
  }
  return named(utimensat(AT.FDCWD, cstring(path), new Uint8Array(times.buffer), AT.SYMLINK_NOFOLLOW))
}

/** The whole answer of statfs(2) but type and fsid, as words. */
export function statfsWords(path) {
  return at(path, (fd) => {
    const buffer = new Uint8Array(STATFS_SIZE)
    const result = fstatfs(fd, buffer)
    if (result < 0) return named(result)
    return [...new BigUint64Array(buffer.buffer, 8, 9)].map(String)
  })
}

/** A buffer of statx(2) with everything it can give. */
export function statxOf(path, flags = AT.SYMLINK_NOFOLLOW) {
  const buffer = new Uint8Array(STATX_SIZE)
  const result = statx(AT.FDCWD, cstring(path), flags, StatxMask.BASIC_STATS | StatxMask.BTIME, buffer)
  if (result < 0) throw Object.assign(new Error(named(result)), { code: named(result) })
  return new DataView(buffer.buffer)
}
