import { fsError } from '../../errors/fs-error.js'
import type { Host } from '../../filesystem/host.js'
import type { Caller } from './caller.js'
import type { Devices } from './devices.js'
import type { Entries } from './entries.js'
import type { Objects } from './objects.js'
import type { MirrorOptions } from './options.js'

/** What the operations of a mirror share in one life. */
export interface Source {
  readonly options: MirrorOptions
  readonly host: Host
  readonly devices: Devices
  readonly objects: Objects
  readonly entries: Entries
  readonly caller: Caller
}

/** Throws EROFS in a read-only mirror: before everything that changes the source. */
export function mayChange(source: Source): void {
  if (source.options.readOnly === true) throw fsError('EROFS')
}
