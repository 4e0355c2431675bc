/** Of evermount as it is built, whose types this folder does not see: a benchmark is compiled beside it. */
export type CString = Uint8Array & { readonly bytes: unique symbol }

interface Native {
  readonly AT: Readonly<Record<'FDCWD' | 'SYMLINK_NOFOLLOW' | 'NO_AUTOMOUNT' | 'REMOVEDIR', number>>
  readonly O: Readonly<
    Record<
      'RDONLY' | 'WRONLY' | 'CREAT' | 'EXCL' | 'TRUNC' | 'NOFOLLOW' | 'DIRECTORY' | 'CLOEXEC' | 'PATH',
      number
    >
  >
  readonly SEEK: { readonly SET: number }
  readonly cstring: (text: string) => CString
  readonly openat: (dirfd: number, path: CString, flags: number, mode?: number) => number
  readonly close: (fd: number) => number
  readonly read: (fd: number, buffer: Uint8Array) => number
  readonly write: (fd: number, buffer: Uint8Array, offset: number, length: number) => number
  readonly lseek: (fd: number, position: number, whence: number) => unknown
  readonly getdents64: (fd: number, buffer: Uint8Array) => number
  readonly statx: (dirfd: number, path: CString, flags: number, mask: number, buffer: Uint8Array) => number
  readonly statxDescriptor: (fd: number, mask: number, buffer: Uint8Array) => number
  readonly truncateDescriptor: (fd: number, length: number) => number
  readonly umask: (mask: number) => number
  readonly mkdirat: (dirfd: number, path: CString, mode: number) => number
  readonly unlinkat: (dirfd: number, path: CString, flags?: number) => number
  readonly renameat2: (from: number, name: CString, to: number, newName: CString, flags: number) => number
  readonly backingOpen: (device: number, fd: number) => number
  readonly backingClose: (device: number, id: number) => number
  readonly setNonBlocking: (fd: number) => number
  readonly pollInput: (fd: number, timeout: number) => number
}

interface Mount {
  readonly attach: (
    mountPoint: string,
    options: { readonly allowOther: boolean; readonly defaultPermissions: boolean },
  ) => Promise<{ readonly fd: number }>
}

const [calls, mount] = await Promise.all(
  ['native', 'mount'].map(
    (folder) => import(new URL(`../../../dist/${folder}/index.js`, import.meta.url).href) as Promise<unknown>,
  ),
)

export const native = { ...(calls as Native), ...(mount as Mount) }
