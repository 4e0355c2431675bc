/**
 * node bench/build/profile/main.js OPERATION [SECONDS [CLIENTS]]
 *
 * Profiles the server of a real mount while clients do one operation again and again, prints where its time goes, and
 * leaves the profile in bench/build/OPERATION.cpuprofile for the developer tools of a browser.
 */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { shell } from '../command.js'
import { guardMount } from '../guard.js'
import { mountMemory, unmountMemory } from '../memory.js'
import { compile, root } from '../programs.js'
import { EvermountMount } from '../rows/evermount.js'
import { client, operations } from '../work/client.js'
import { selfTimes, type Profile } from './self-times.js'

const FILES = 100
const LINES = 40

// Whoever reads may stop early (head): the mount is ended all the same.
process.stdout.on('error', () => undefined)

const [operation = 'stat', seconds = '3', clients = '1'] = process.argv.slice(2)
const output = join(root, `bench/build/${operation}.cpuprofile`)
const folder = mkdtempSync(join(tmpdir(), 'evm-profile-'))
const [source, mountPoint] = [join(folder, 'source'), join(folder, 'mount')]

await shell('[ -e /sys/fs/fuse/connections/ ] && mount -t fusectl fusectl /sys/fs/fuse/connections || true')
await compile()
await mountMemory(folder)
mkdirSync(source)
mkdirSync(mountPoint)
await client(['prepare', join(source, 'files'), String(FILES), '4096', '16'])
const preload = fileURLToPath(new URL('preload.js', import.meta.url))
Object.assign(process.env, { NODE_OPTIONS: `--import ${preload}`, PROFILE_OUTPUT: output })
rmSync(output, { force: true })
const callOff = guardMount(mountPoint, 120)
const mount = await EvermountMount.start({ source, mountPoint, timeout: 0 })
try {
  const { pids } = await mount.status()
  const subject = { row: 'evermount', source, directory: mountPoint, servers: mount.servers } as const
  const run = (length: number): ReturnType<typeof operations> =>
    operations(subject, join(mountPoint, 'files'), {
      operation,
      clients: Number(clients),
      seconds: length,
      files: FILES,
    })
  await run(1)
  const plain = await run(1)
  const before = (await mount.status()).requests
  process.kill(pids.server!, 'SIGUSR2')
  await delay(300)
  const profiled = await run(Number(seconds))
  process.kill(pids.server!, 'SIGUSR2')
  while (!existsSync(output)) await delay(100)
  await delay(500)
  const { requests } = await mount.status()
  const micros = ({ value }: { value: number }): string => ((1e6 * Number(clients)) / value).toFixed(1)
  const print = (text: string): void => void process.stdout.write(`${text}\n`)
  print(`${operation}: ${micros(plain)} µs each, server CPU ${(plain.serverCpuUs ?? NaN).toFixed(1)} µs`)
  print(`while profiled: ${micros(profiled)} µs each`)
  for (const [name, count] of Object.entries(requests)) {
    const came = (count - (before[name] ?? 0)) / (profiled.value * Number(seconds))
    if (came > 0.01) print(`  ${name}: ${came.toFixed(2)} for each`)
  }
  const profile = JSON.parse(readFileSync(output, 'utf8')) as Profile
  for (const { where, share } of selfTimes(profile).slice(0, LINES))
    print(`${(share * 100).toFixed(1)} %  ${where}`)
  print(output)
} finally {
  await mount.end()
  callOff()
  await unmountMemory(folder)
  rmSync(folder, { recursive: true, force: true })
}
