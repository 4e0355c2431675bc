import type { Scenario } from '../scenario.js'
import { device } from './device.js'
import { init } from './init.js'
import { names } from './names.js'
import { notifications } from './notifications.js'
import { opens } from './opens.js'
import { passthroughIo } from './passthrough-io.js'
import { registrations } from './registrations.js'
import { replies } from './replies.js'

/** The scenarios written by hand. */
export const handWritten: readonly Scenario[] = [
  ...registrations,
  ...init,
  ...opens,
  ...passthroughIo,
  ...device,
  ...replies,
  ...notifications,
  ...names,
]
