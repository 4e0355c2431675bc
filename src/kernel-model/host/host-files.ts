/**
 * The files below the mount: what a server's descriptors stand for when it registers them for passthrough. Failures are
 * negated errnos.
 */
export interface HostFiles {
  /** The file behind a descriptor of the server, held independently of it (fget_raw): -EBADF if it is not open. */
  resolve(fd: number): HostFile | number
}

/** A file that is held by the kernel: it stays when its name and every descriptor are gone. */
export interface HostFile {
  readonly kind: 'regular' | 'directory' | 'other'
  /** How many file systems its file system lies on; 0 for an ordinary one. */
  readonly stackDepth: number
  /** Which file it is, as long as it lives: inode and device in one. */
  readonly inode: string
  /** Opens an instance without asking for permissions; of `flags` (O_*) those count that outlast open(2). */
  open(flags: number): HostInstance | number
  close(): void
}

/** An open instance of a file. Results are numbers of bytes or negated errnos. */
export interface HostInstance {
  read(into: Uint8Array, position: number): number
  /** Opened with O_APPEND, data go to the end; `size` then tells where they end. */
  write(data: Uint8Array, position: number): number
  size(): number
  /** A shared mapping of the file, which it holds beyond `close`; or a negated errno. */
  map(): HostMapping | number
  close(): void
}

/** Memory that is a file's: bytes beyond its last page are not there. */
export interface HostMapping {
  /** Bytes that are there (0: past the end, SIGBUS), or a negated errno. */
  read(into: Uint8Array, position: number): number
  /** Never changes the size: bytes past the end are dropped. */
  write(data: Uint8Array, position: number): number
  unmap(): void
}
