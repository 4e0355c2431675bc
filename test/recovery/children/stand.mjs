// Gives a process of its own one standing after the other, and says how it is then scheduled: policy, nice value, slice
// in nanoseconds; first as it was started.
import { getPriority } from 'node:os'
import { schedulingOf } from '../../../dist/native/index.js'
import { setProcessStanding } from '../../../dist/recovery/priority.js'

const now = () => {
  const { policy, slice } = schedulingOf(process.pid)
  return { policy, nice: getPriority(), slice }
}
const seen = [now()]
for (const standing of process.argv.slice(2)) {
  setProcessStanding(process.pid, standing)
  seen.push(now())
}
console.log(JSON.stringify(seen))
