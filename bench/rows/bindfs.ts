import { startForeground } from './foreground.js'
import type { Row } from './row.js'

function bindfsWith(name: Row['name'], ...further: string[]): Row {
  return {
    name,
    start: ({ source, mountPoint, timeout }) => {
      const timeouts = ['entry_timeout', 'attr_timeout', 'negative_timeout'].map((key) => `${key}=${timeout}`)
      // Without big_writes libfuse 2 has the kernel write 4 KiB at a time.
      const options = ['big_writes', ...timeouts].join(',')
      return startForeground('bindfs', ['-f', ...further, '-o', options, source, mountPoint], mountPoint)
    },
  }
}

/** Debian's bindfs, in C on libfuse, as it comes: one thread. */
export const bindfs = bindfsWith('bindfs')
export const bindfsThreads = bindfsWith('bindfs, threads', '--multithreaded')

/** On processors as a busy evermount has them. */
export const bindfsAwake: Row = { ...bindfs, name: 'bindfs, processors awake', keepsProcessorsAwake: true }
