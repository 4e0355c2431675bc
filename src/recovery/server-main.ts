/** Entry of a server process: the supervisor starts it with what it inherits as the only argument. */
import type { Heritage } from './messages.js'
import { Server } from './server.js'

process.title = 'evermount-server'
// The supervisor decides when a server ends; a Ctrl-C in its terminal goes to the whole group.
process.on('SIGINT', () => undefined)
await Server.start(JSON.parse(process.argv[2] ?? '{}') as Heritage)
