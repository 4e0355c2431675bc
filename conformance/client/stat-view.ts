import { FileMode } from '../../src/protocol/linux.js'

/** What of a file's status is compared: not the device, and of times only that of the last change of data. */
export interface StatView {
  readonly ino: number
  readonly mode: string
  readonly nlink: number
  readonly uid: number
  readonly gid: number
  readonly size: number
  readonly blocks: number
  readonly mtime: number
  readonly btime?: number
}

const RECENT = 1_700_000_000

/** Times that a kernel has set by its own clock are only told as such. */
export function timeView(seconds: number): number {
  return seconds > RECENT ? -1 : seconds
}

export function modeView(mode: number): string {
  return `${(mode & FileMode.IFMT).toString(8)}:${(mode & ~FileMode.IFMT).toString(8)}`
}
