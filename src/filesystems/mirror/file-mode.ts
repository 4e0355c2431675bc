/** Bits of `mode` (linux/stat.h). */
export const Mode = {
  TYPE: 0o170000,
  REGULAR: 0o100000,
  DIRECTORY: 0o040000,
  SYMLINK: 0o120000,
  SETUID: 0o4000,
  SETGID: 0o2000,
  GROUP_EXECUTE: 0o010,
  PERMISSIONS: 0o7777,
} as const
