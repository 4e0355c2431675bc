import { bindfs, bindfsThreads } from './bindfs.js'
import { ceiling, ceilingReaders } from './ceiling.js'
import {
  evermount,
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
  ceilingReaders,
  evermount,
  evermountHalting,
  evermountWatching,
  evermountWithoutPassthrough,
  evermountWritingBack,
  bindfs,
  bindfsThreads,
]
