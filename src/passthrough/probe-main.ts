/**
 * Entry of the probe's process. Its only argument is a directory to mount on through fusermount3; without one it
 * mounts in a namespace of its own. Writes what it found as one line of JSON.
 *
 * It alone holds the device, so its end, however it comes about, ends the connection and with it whatever waits
 * for an answer.
 */
import { spawn } from 'node:child_process'
import { openSync, mkdirSync, writeFileSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { errnoName } from '../errors/errno.js'
import { FuseError } from '../errors/fuse-error.js'
import { mountDirect, mountFusermount, unmount } from '../mount/index.js'
import { CLONE, MS, cstring, mount, unshare } from '../native/index.js'
import { BACKING_CLOSE_ALL_ID, hasInitFlag } from '../protocol/index.js'
import { DeviceTransport } from '../transport/index.js'
import type { KernelCapabilities } from './capabilities.js'
import { fallbackOf } from './fallback.js'
import { ProbeServer } from './probe-server.js'

const CONTENT = 'by passthrough'
const MOUNT = { subtype: 'evermount-probe', fsname: 'evermount-probe' } as const

/**
 * Opens each file twice, the second time while the first is open. A redirection of a compound command that fails
 * fails that command only. Nothing but the kernel can deliver the line that is read.
 */
const OPENS = `
cd "$1" || exit
{ read -r line <&3 && echo "$line"; (: 4<plain) && echo 'plain twice'; } 3<plain
{ (: 4<flagged) && echo 'flagged twice'; } 3<flagged
`

function must(syscall: string, result: number): void {
  if (result < 0) throw new FuseError('ERR_SYSCALL', { syscall, errno: -result })
}

/**
 * A tree of mounts that only this thread and its children see, with an empty tmpfs over the folder for temporary
 * files: nothing is made that could be left behind.
 */
function enterPrivateTree(): string {
  must('unshare', unshare(CLONE.NEWNS))
  must('mount', mount(cstring('none'), cstring('/'), null, MS.REC | MS.PRIVATE, null))
  const folder = tmpdir()
  must('mount', mount(cstring('none'), cstring(folder), cstring('tmpfs'), 0, cstring('size=1m,mode=755')))
  return folder
}

/** What the shell says of its opens. */
function openFiles(mountPoint: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const shell = spawn('/bin/sh', ['-c', OPENS, 'sh', mountPoint], { stdio: ['ignore', 'pipe', 'ignore'] })
    let said = ''
    shell.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()))
    shell.once('error', reject)
    shell.once('close', () => {
      resolve(said)
    })
  })
}

async function probePrivately(): Promise<KernelCapabilities> {
  const folder = enterPrivateTree()
  const file = join(folder, 'file')
  const mountPoint = join(folder, 'mount')
  writeFileSync(file, `${CONTENT}\n`)
  mkdirSync(mountPoint)
  const transport = new DeviceTransport(mountDirect(mountPoint, MOUNT).fd)
  const server = new ProbeServer(transport, openSync(file, 'r+'), CONTENT.length + 1)
  const serving = server.serve().catch((error: unknown) => {
    // Whoever waits for an answer gets an error instead.
    transport.close()
    throw error
  })
  const [said] = await Promise.all([openFiles(mountPoint).finally(() => server.stop()), serving])
  const passthrough = said.includes(CONTENT)
  const capabilities: KernelCapabilities = {
    ...offerOf(server),
    passthrough,
    ...(passthrough ? {} : { passthroughProblem: problemOf(server) }),
    inodeCompare: passthrough && said.includes('plain twice'),
    inodeCache: passthrough && said.includes('flagged twice'),
    closeAll: passthrough && closesAll(server, transport),
  }
  transport.close()
  return capabilities
}

function closesAll(server: ProbeServer, transport: DeviceTransport): boolean {
  return (
    transport.backingClose(BACKING_CLOSE_ALL_ID) === 0 &&
    server.ids.every((id) => errnoName(-transport.backingClose(id)) === 'ENOENT')
  )
}

function offerOf({ offer }: ProbeServer): Pick<KernelCapabilities, 'minor' | 'resend'> {
  if (offer === undefined) return { minor: 0, resend: false }
  return { minor: offer.minor, resend: offers(offer, 'HAS_RESEND') }
}

type Offer = NonNullable<ProbeServer['offer']>

function offers(offer: Offer, flag: 'HAS_RESEND' | 'PASSTHROUGH'): boolean {
  return hasInitFlag(offer, 'INIT_EXT') && hasInitFlag(offer, flag)
}

function problemOf({ offer, refusal }: ProbeServer): string {
  if (offer === undefined) return 'the kernel sent no INIT'
  if (!offers(offer, 'PASSTHROUGH')) {
    return 'no kernel support: it takes Linux 6.9 or later with CONFIG_FUSE_PASSTHROUGH'
  }
  if (refusal === 0) return 'a file opened for passthrough could not be read'
  const name = errnoName(refusal) ?? `errno ${refusal}`
  return `${fallbackOf(refusal).cause}: registering a file gave ${name}`
}

/** Without privilege there is no passthrough to be tried; INIT comes with the mount and tells the rest. */
async function probeByFusermount(directory: string): Promise<KernelCapabilities> {
  const transport = new DeviceTransport((await mountFusermount(directory, MOUNT)).fd)
  const server = new ProbeServer(transport, -1, 0)
  await server.serve(() => server.offer !== undefined)
  await unmount(directory, { lazy: true })
  transport.close()
  return {
    ...offerOf(server),
    passthrough: false,
    passthroughProblem: 'no privilege: it takes CAP_SYS_ADMIN in the initial user namespace',
    inodeCompare: false,
    inodeCache: false,
    closeAll: false,
  }
}

const directory = process.argv[2]
const report = await (directory === undefined ? probePrivately() : probeByFusermount(directory)).catch(
  (error: unknown) => ({ failure: error instanceof Error ? error.message : String(error) }),
)
writeSync(1, `${JSON.stringify(report)}\n`)
// Threads that wait on the device must not hold up the end.
process.kill(process.pid, 'SIGKILL')
