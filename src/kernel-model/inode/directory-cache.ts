import type { Dirent } from '../../protocol/dirent.js'

/** The entries of a directory as the server last listed them, where it lets the kernel keep them (FOPEN_CACHE_DIR). */
export interface DirectoryCache {
  entries: Dirent[]
  /** The list is whole. */
  complete: boolean
  /** The directory's time of change when the list was begun. */
  mtimeNs: bigint
  /** Counts changes made through this kernel; as it was when the list was begun. */
  changes: number
  begun: number
}

export const emptyDirectory = (changes: number): DirectoryCache => ({
  entries: [],
  complete: false,
  mtimeNs: 0n,
  changes,
  begun: changes,
})
