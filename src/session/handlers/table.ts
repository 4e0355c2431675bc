import { Opcode, type OpcodeName } from '../../protocol/opcode.js'
import type { AnyHandler } from '../handler.js'
import * as attributes from './attributes.js'
import * as directories from './directories.js'
import * as files from './files.js'
import * as locks from './locks.js'
import * as names from './names.js'
import * as xattrs from './xattrs.js'

/**
 * The handler of each operation that a file system answers. FORGET, BATCH_FORGET, INTERRUPT, INIT, DESTROY and
 * NOTIFY_REPLY concern the connection and belong to the session itself; what is in neither is answered ENOSYS
 * (SETUPMAPPING and REMOVEMAPPING: DAX of virtiofs; CUSE_INIT: character devices).
 */
const byName: Partial<Record<OpcodeName, AnyHandler>> = {
  LOOKUP: names.lookup,
  GETATTR: attributes.getattr,
  SETATTR: attributes.setattr,
  READLINK: names.readlink,
  SYMLINK: names.symlink,
  MKNOD: names.mknod,
  MKDIR: names.mkdir,
  UNLINK: names.unlink,
  RMDIR: names.rmdir,
  RENAME: names.rename,
  LINK: names.link,
  OPEN: files.open,
  READ: files.read,
  WRITE: files.write,
  STATFS: attributes.statfs,
  RELEASE: files.release,
  FSYNC: files.fsync,
  SETXATTR: xattrs.setxattr,
  GETXATTR: xattrs.getxattr,
  LISTXATTR: xattrs.listxattr,
  REMOVEXATTR: xattrs.removexattr,
  FLUSH: files.flush,
  OPENDIR: directories.opendir,
  READDIR: directories.readdir,
  RELEASEDIR: directories.releasedir,
  FSYNCDIR: directories.fsyncdir,
  GETLK: locks.getlk,
  SETLK: locks.setlk,
  SETLKW: locks.setlkw,
  ACCESS: attributes.access,
  CREATE: files.create,
  BMAP: files.bmap,
  IOCTL: files.ioctl,
  POLL: files.poll,
  FALLOCATE: files.fallocate,
  READDIRPLUS: directories.readdirplus,
  RENAME2: names.rename2,
  LSEEK: files.lseek,
  COPY_FILE_RANGE: files.copyFileRange,
  SYNCFS: attributes.syncfs,
  TMPFILE: files.tmpfile,
  STATX: attributes.statx,
  COPY_FILE_RANGE_64: files.copyFileRange64,
}

/** Handlers by opcode. */
export const handlers: readonly (AnyHandler | undefined)[] = Array.from({ length: 64 }, (_, opcode) => {
  const found = Object.entries(byName).find(([name]) => Opcode[name as OpcodeName] === opcode)
  return found?.[1]
})
