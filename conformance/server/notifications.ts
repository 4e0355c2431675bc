import { encodeNotification } from '../../src/protocol/encode-notification.js'
import type { NotificationData } from '../scenario.js'
import { nodeIdOf, type ServerState } from './tree.js'

const bytes = (text: string): Uint8Array => Buffer.from(text, 'latin1')

/** A notification of a scenario, as it goes to the kernel. */
export function notificationBytes(
  state: ServerState,
  data: NotificationData | { readonly code: 'RESEND' },
): Uint8Array {
  const id = (path: string): number => nodeIdOf(state, path)
  switch (data.code) {
    case 'RESEND':
    case 'INC_EPOCH':
      return encodeNotification(data)
    case 'INVAL_INODE':
      return encodeNotification({ ...data, nodeid: id(data.path) })
    case 'INVAL_ENTRY':
      return encodeNotification({ ...data, parent: id(data.parent), name: bytes(data.name) })
    case 'DELETE': {
      const { code, parent, name, child } = data
      return encodeNotification({ code, parent: id(parent), child: id(child), name: bytes(name) })
    }
    case 'STORE':
      return encodeNotification({ ...data, nodeid: id(data.path), data: bytes(data.data) })
    case 'RETRIEVE':
      return encodeNotification({ ...data, nodeid: id(data.path), notifyUnique: 1000 })
    case 'PRUNE':
      return encodeNotification({ code: 'PRUNE', nodeids: data.paths.map(id) })
  }
}
