import { writeFileSync } from 'node:fs'

/** 512 KiB: docs/performance.md has the figures. */
const READ_AHEAD = 512 * 1024

/**
 * Sets how many bytes the kernel reads ahead of a sequential reader on a mount, in whole KiB: with that the most of one
 * READ where its data is not passed through, but for what a program asks for at once. Takes root: what INIT agrees on can
 * only be less than the kernel's 128 KiB (fs/fuse/inode.c, process_init_reply, which also undoes what was set before).
 * Returns whether it is set.
 */
export function setReadAhead(connection: number, bytes = READ_AHEAD): boolean {
  try {
    writeFileSync(`/sys/class/bdi/0:${connection}/read_ahead_kb`, String(Math.floor(bytes / 1024)), {
      flag: 'r+',
    })
    return true
  } catch {
    return false
  }
}
