/** What a client sees of an object. */
export interface ClientStat {
  readonly ino: number
  /** Type and permissions. */
  readonly mode: number
  readonly nlink: number
  readonly size: number
  /** Nanoseconds since 1970. */
  readonly mtimeNs: bigint
}

/** A file that is held open. */
export interface HeldFile {
  read(): Promise<string>
  write(offset: number, text: string): Promise<void>
  size(): Promise<number>
  close(): Promise<void>
}

/**
 * Uses a file system as programs do, by paths from its root. Errors have the errno's name as `code`. Text stands for
 * bytes, a character each.
 */
export interface Client {
  stat(path: string): Promise<ClientStat>
  /** Names without `.` and `..`, sorted. */
  list(path: string): Promise<string[]>
  mkdir(path: string, mode?: number): Promise<void>
  rmdir(path: string): Promise<void>
  unlink(path: string): Promise<void>
  rename(path: string, newPath: string): Promise<void>
  link(path: string, newPath: string): Promise<void>
  symlink(target: string, path: string): Promise<void>
  readlink(path: string): Promise<string>
  /** Makes a file, which must not exist. */
  create(path: string, text: string, mode?: number): Promise<void>
  read(path: string): Promise<string>
  write(path: string, offset: number, text: string): Promise<void>
  truncate(path: string, size: number): Promise<void>
  chmod(path: string, mode: number): Promise<void>
  /** Seconds since 1970, with a fraction. */
  utimes(path: string, atime: number, mtime: number): Promise<void>
  hold(path: string): Promise<HeldFile>
  end(): Promise<void>
}
