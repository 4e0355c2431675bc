// Opens the journal behind descriptor 3: `open` says how that went; `add NODE` works on it and dies.
import { Journal } from '../../../dist/journal/journal.js'
import { Header } from '../../../dist/journal/layout.js'
import { SharedMemory } from '../../../dist/recovery/shared-memory.js'
import { writeSync } from 'node:fs'

const [task, node] = process.argv.slice(2)
const text = (value) => Buffer.from(value)
try {
  const journal = Journal.open(new SharedMemory(3))
  if (task === 'open') console.log('opened')
  else {
    const { identity, locator } = journal.nodes.key(journal.nodes.slotOf(Number(node)))
    const key = `${Buffer.from(identity).toString()} ${Buffer.from(locator).toString()}`
    const added = journal.nodes.add(text('there'), text(''))
    const handle = journal.handles.add({ node: added, flags: 2, directory: false, passthrough: false })
    journal.requests.begin(3, 9, 1234, added, 1, 1, Date.now())
    journal.requests.intend(3, new Uint8Array([1, 2, 3]))
    journal.header.publish(Header.life, 7)
    writeSync(1, JSON.stringify({ key, added, handle }))
    process.kill(process.pid, 'SIGKILL')
  }
} catch (error) {
  console.log(`${error.code}: ${JSON.stringify(error.context)}`)
}
