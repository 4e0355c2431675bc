import './server-calls.js'
import process from 'node:process'
import { Header, Region } from '../../src/journal/layout.js'
import { NodeTable } from '../../src/journal/nodes.js'
import { Session } from '../../src/session/session.js'
import { beforeStores, wordName } from '../steps/journal-stores.js'
import { CrashPlan } from './plan.js'
import { goBy, otherStep, readStep, serves } from './steps.js'

/* A server process that counts its steps while it serves, and kills itself at the one that the plan names. */

const plan = CrashPlan.open(process.env['EVERMOUNT_CRASH_PLAN'] ?? '')
goBy(plan)

beforeStores(({ region, address, value }) => {
  const name = (): string => `store of ${wordName(region, address)}`
  if (region === Region.header) {
    // Depends on the time.
    if (address === Header.heartbeat) return
    // The first thing that an activated server does.
    if (address === Header.paused && value === 0) serves()
  }
  const isOfAnswer = region === Region.header && address === Header.redoCommit
  if (!isOfAnswer && !plan.everyStore) return
  const isForReading =
    region === Region.frames || (region === Region.header && address === Header.readingFrame)
  if (isForReading) readStep(name)
  else otherStep(name)
})

// eslint-disable-next-line @typescript-eslint/unbound-method -- it is called on the table at hand
const { stageForget } = NodeTable.prototype
NodeTable.prototype.stageForget = function (this: NodeTable, redo, slot, lookups): void {
  if (lookups > this.lookups(slot)) plan.overdrawn++
  stageForget.call(this, redo, slot, lookups)
}

// eslint-disable-next-line @typescript-eslint/unbound-method -- it is called on the session at hand
const { tidy } = Session.prototype
Session.prototype.tidy = function (this: Session): boolean {
  const hasMore = tidy.call(this)
  // What follows at once is the sweep of registrations.
  if (!hasMore) {
    setImmediate(() => {
      plan.tidied = process.pid
    })
  }
  return hasMore
}
