// Works standing back, as a supervisor does, and says how its thread was scheduled: policy and nice value.
import { getPriority } from 'node:os'
import { schedulingOf } from '../../../dist/native/index.js'
import { setStanding, standingBack } from '../../../dist/recovery/priority.js'

const now = () => `${schedulingOf(process.pid).policy} ${getPriority()}`
const [how] = process.argv.slice(2)
setStanding(process.pid, 'urgent')
let meanwhile
let outcome
try {
  outcome = standingBack(() => {
    meanwhile = now()
    if (how === 'failed') throw new Error(how)
    return how
  })
} catch (error) {
  outcome = error.message
}
console.log(JSON.stringify({ meanwhile, outcome, after: now() }))
