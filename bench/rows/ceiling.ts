import { CEILING } from '../programs.js'
import { startForeground } from './foreground.js'
import type { Row } from './row.js'

/** The least that any server can cost: see bench/ceiling/. */
export const ceiling: Row = {
  name: 'ceiling',
  start: ({ source, mountPoint, timeout }) =>
    startForeground(CEILING, [source, mountPoint, String(timeout)], mountPoint),
}
