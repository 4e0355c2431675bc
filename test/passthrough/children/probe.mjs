// Probes the kernel, and prints what it found and the mounts it left in sight. Arguments: options as JSON.
import { readMounts } from '../../../dist/mount/index.js'
import { probe } from '../../../dist/passthrough/probe.js'

const seen = () => readMounts().filter((entry) => entry.type.includes('probe')).length
const probing = probe(JSON.parse(process.argv[2] ?? '{}')).then(
  (capabilities) => ({ capabilities }),
  ({ code, message, remedy }) => ({ code, message, remedy }),
)
let during = 0
const watch = setInterval(() => (during = Math.max(during, seen())), 5)
const result = await probing
clearInterval(watch)
console.log(JSON.stringify({ ...result, during, after: seen() }))
