#!/usr/bin/env node
import { CommanderError } from 'commander'
import { ExitStatus, exitStatusOf } from './exit-status.js'
import { answerFailure, complain } from './output.js'
import { createProgram } from './program.js'

try {
  await createProgram().parseAsync()
} catch (error) {
  process.exitCode = exitStatusOf(error)
  // Commander has said what was wrong already.
  if (!(error instanceof CommanderError)) {
    complain(error)
    if (process.argv.includes('--json')) answerFailure(error)
  }
}
// Not left to an event loop that runs empty: a helper process stuck on a mount would keep it running.
process.exit(process.exitCode ?? ExitStatus.ok)
