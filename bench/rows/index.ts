import { bindfs, bindfsAwake, bindfsThreads } from './bindfs.js'
import { ceiling, ceilingAwake, ceilingInNode, ceilingReaders } from './ceiling.js'
import {
  evermount,
  evermountAwake,
  evermountHalting,
  evermountWatching,
  evermountWithoutPassthrough,
  evermountWritingBack,
} from './evermount.js'
import type { Row } from './row.js'
import { source } from './source.js'

export const rows: readonly Row[] = [
  source,
  ceiling,
  ceilingAwake,
  ceilingReaders,
  ceilingInNode,
  evermount,
  evermountAwake,
  evermountHalting,
  evermountWatching,
  evermountWithoutPassthrough,
  evermountWritingBack,
  bindfs,
  bindfsAwake,
  bindfsThreads,
]
