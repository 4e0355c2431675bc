import type { ProcessCalls } from '../../src/kernel-model/index.js'

/** The system calls that operations and random sequences are made of. */
export const callNames = [
  ...(['open', 'close', 'read', 'pread', 'write', 'pwrite', 'lseek', 'fsync', 'fdatasync'] as const),
  ...(['ftruncate', 'fallocate', 'copyFileRange', 'flock', 'setLock', 'lstat', 'fstat', 'statx'] as const),
  ...(['access', 'statfs', 'getdents', 'readdir', 'mkdir', 'rmdir', 'rename', 'link', 'symlink'] as const),
  ...(['readlink', 'unlink', 'mknod', 'truncate', 'chmod', 'lchown', 'utimens', 'getxattr'] as const),
  ...(['listxattr', 'setxattr', 'removexattr', 'chdir'] as const),
]

export type CallName = (typeof callNames)[number]

/** A process, of the modelled kernel or a real one. What fails, fails with `code`. */
export type Caller = Pick<ProcessCalls, CallName | 'interrupt' | 'kill' | 'exit'>
