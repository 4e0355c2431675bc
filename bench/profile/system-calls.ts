/**
 * node bench/build/profile/system-calls.js [OPERATION...]
 *
 * Counts with strace -c what system calls the server of a real mount makes for each operation of one client, and what
 * requests come for it. Counts, no times: strace itself takes most of those. It slows the server down so much that there is
 * always a request when it looks for one, so its reads are counted without strace as well (/proc/PID/io).
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { observe, requestsOfEach } from './mount.js'

const SECONDS = 5
const LEAST = 10_000

const print = (text: string): void => void process.stdout.write(`${text}\n`)
const asked = process.argv.slice(2)
const OPERATIONS = asked.length > 0 ? asked : ['stat', 'open', 'create', 'mkdir', 'rename']

for (const operation of OPERATIONS) {
  const folder = mkdtempSync(join(tmpdir(), 'evm-calls-'))
  const output = join(folder, 'calls')
  await observe(operation, 1, async (mount) => {
    const readsBefore = readsOf(mount.server)
    const undisturbed = (await mount.run(SECONDS)).value * SECONDS
    const reads = (readsOf(mount.server) - readsBefore) / undisturbed
    const before = await mount.requests()
    const tracer = spawn('strace', ['-c', '-f', '-q', '-o', output, '-p', String(mount.server)])
    await delay(500)
    let operationCount = 0
    while (operationCount < LEAST) operationCount += (await mount.run(SECONDS)).value * SECONDS
    tracer.kill('SIGINT')
    await once(tracer, 'exit')
    print(`${operation}, ${Math.round(operationCount)} times`)
    for (const line of requestsOfEach(before, await mount.requests(), operationCount)) print(line)
    print(`    read, without strace ${reads.toFixed(2)}`)
    for (const line of callsOfEach(readFileSync(output, 'utf8'), operationCount)) print(line)
  })
  rmSync(folder, { recursive: true, force: true })
}

/** Reads so far, whatever came of them. */
function readsOf(pid: number): number {
  return Number(/^syscr: (\d+)$/m.exec(readFileSync(`/proc/${pid}/io`, 'utf8'))?.[1])
}

/** Of strace's table (share, seconds, microseconds, calls, perhaps errors, name): calls for each operation. */
function callsOfEach(table: string, operationCount: number): string[] {
  return table.split('\n').flatMap((line) => {
    const columns = line.trim().split(/\s+/)
    const each = Number(columns[3]) / operationCount
    return Number.isNaN(each) || each < 0.05 ? [] : [`    ${columns.at(-1)!.padEnd(20)} ${each.toFixed(2)}`]
  })
}
