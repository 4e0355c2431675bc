// A file system in memory whose server cannot rehearse.
export { createFileSystem } from '../../dist/filesystems/memory/index.js'

export function createRehearsal() {
  throw new Error('no stage')
}
