/** What a server process loads: a mirror without a rehearsal, since here none has to be quick and many are started. */
export { createFileSystem } from '../../src/filesystems/mirror/index.js'
