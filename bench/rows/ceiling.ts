import { CEILING, CEILING_IN_NODE } from '../programs.js'
import { startForeground } from './foreground.js'
import type { Row } from './row.js'

/** The least that any server can cost: see bench/ceiling/. */
export const ceiling: Row = {
  name: 'ceiling',
  start: ({ source, mountPoint, timeout }) =>
    startForeground(CEILING, [source, mountPoint, String(timeout)], mountPoint),
}

/** What it costs on processors as a busy evermount has them. */
export const ceilingAwake: Row = { ...ceiling, name: 'ceiling, processors awake', keepsProcessorsAwake: true }

/** Whether it pays to read requests on several threads, each from a clone of the device. */
export const ceilingReaders: Row = {
  name: 'ceiling, 2 readers',
  start: ({ source, mountPoint, timeout }) =>
    startForeground(CEILING, [source, mountPoint, String(timeout), '30', '2'], mountPoint),
}

/** The same in JavaScript on evermount's system calls, on processors as a busy evermount has them. */
export const ceilingInNode: Row = {
  name: 'ceiling in Node.js, processors awake',
  keepsProcessorsAwake: true,
  start: ({ source, mountPoint }) =>
    startForeground(process.execPath, [CEILING_IN_NODE, source, mountPoint], mountPoint),
}
