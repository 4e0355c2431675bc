/**
 * npm run crashpoints: kills a mirror's server before and after every system call, store in the journal and call to the
 * device, for every operation, and again during the takeover, and compares with a run without a kill. The kernel is the
 * modelled one. Exit status 1 when a kill can be noticed.
 */
import './server/system-calls.js'
import './server/journal-stores.js'
import './server/time.js'
import process from 'node:process'
import { program } from './program.js'

process.exitCode = await program(process.argv.slice(2))
