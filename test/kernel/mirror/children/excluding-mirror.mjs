// A file system module: a mirror whose files are passed through but for those of users.
import { Mirror } from '../../../../dist/filesystems/mirror/index.js'

export function createFileSystem(options) {
  return new Mirror({ ...options, passthroughExclude: ({ uid }) => uid === 1000 })
}
