/** How a client opens a file: as in fopen(3); `wx` creates it and fails if it is there. */
export type OpenMode = 'r' | 'r+' | 'w+' | 'a' | 'wx'

/**
 * The system calls of one client, on whatever kernel the drill runs. Paths are relative to the mount; calls fail with
 * an Error that has a `code`.
 */
export interface Calls {
  open(path: string, mode: OpenMode): Promise<number>
  close(fd: number): Promise<void>
  /** At most `length` bytes from `position`. */
  read(fd: number, length: number, position: number): Promise<Uint8Array>
  /** At the file's position when `position` is null. How many bytes were written. */
  write(fd: number, bytes: Uint8Array, position: number | null): Promise<number>
  truncate(fd: number, size: number): Promise<void>
  readFile(path: string): Promise<Uint8Array>
  stat(path: string): Promise<void>
  readdir(path: string): Promise<string[]>
  mkdir(path: string): Promise<void>
  rmdir(path: string): Promise<void>
  rename(path: string, newPath: string): Promise<void>
  link(path: string, newPath: string): Promise<void>
  unlink(path: string): Promise<void>
}
