export { Errno, ErrnoAlias, errnoName, errnoNumber, type ErrnoName } from './errno.js'
export { FsError, fsError } from './fs-error.js'
export {
  FuseError,
  isFuseError,
  type FuseErrorCode,
  type FuseErrorContext,
  type FuseErrorOptions,
} from './fuse-error.js'
export { toErrno } from './to-errno.js'
