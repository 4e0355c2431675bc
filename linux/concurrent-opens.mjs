/**
 * Runs in the test kernel: processes open and close one file at the same time, each open answered by passthrough with
 * a fresh registration and the proposed flag. Two such opens that both find the inode without a backing file install
 * different registrations; the kernel has to settle that, and no open may fail. Writes one line of JSON.
 */
import { spawn } from 'node:child_process'
import { mkdtempSync, mkdirSync, openSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { mountDirect } from '../dist/mount/index.js'
import { ProbeServer } from '../dist/passthrough/probe-server.js'
import { DeviceTransport } from '../dist/transport/index.js'

const CLIENTS = 3
const OPENS = Number(process.argv[2] ?? 5_000)
const CONTENT = 'by passthrough\n'

const CLIENT = `
const fs = require('node:fs')
const errors = {}
for (let turn = 0; turn < ${OPENS}; turn++) {
  try {
    const fd = fs.openSync(process.argv[1], 'r')
    if (fs.readFileSync(fd, 'latin1') !== ${JSON.stringify(CONTENT)}) errors.data = (errors.data ?? 0) + 1
    fs.closeSync(fd)
  } catch (error) {
    errors[error.code] = (errors[error.code] ?? 0) + 1
  }
}
console.log(JSON.stringify(errors))
`

const folder = mkdtempSync(join(tmpdir(), 'evermount-opens-'))
const mountPoint = join(folder, 'mount')
mkdirSync(mountPoint)
writeFileSync(join(folder, 'file'), CONTENT)
const mount = { subtype: 'evermount-opens', fsname: 'evermount-opens' }
const transport = new DeviceTransport(mountDirect(mountPoint, mount).fd)
const server = new ProbeServer(transport, openSync(join(folder, 'file'), 'r+'), CONTENT.length)
const serving = server.serve()
const said = await Promise.all(Array.from({ length: CLIENTS }, client))
server.stop()
await serving
const errors = {}
for (const counts of said) {
  for (const [code, count] of Object.entries(counts)) errors[code] = (errors[code] ?? 0) + count
}
console.log(JSON.stringify({ opens: CLIENTS * OPENS, registrations: server.ids.length, errors }))
// The end of this process ends the connection.
process.kill(process.pid, 'SIGKILL')

function client() {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, ['-e', CLIENT, join(mountPoint, 'flagged')], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    let output = ''
    child.stdout.on('data', (chunk) => (output += chunk))
    child.once('close', () => resolve(output === '' ? { 'client died': 1 } : JSON.parse(output)))
  })
}
