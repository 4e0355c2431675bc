import { spawn } from 'node:child_process'
import { mkdtempSync, rmdirSync } from 'node:fs'
import { release, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { mountAt, openDevice, unmount } from '../mount/index.js'
import { CAP, close, hasCapability } from '../native/index.js'
import type { KernelCapabilities } from './capabilities.js'

const PROBE_MAIN = fileURLToPath(new URL('./probe-main.js', import.meta.url))

export interface ProbeOptions {
  /** Milliseconds after which the probe is given up; 5000 unless told. */
  readonly deadlineMs?: number
}

/**
 * Finds out what this kernel can do by trying it on a mount of its own, in another process: a kernel without the
 * proposed flag answers it with EIO, which must not hit a user's files. Takes some 150 ms.
 *
 * With CAP_SYS_ADMIN the mount is in a private namespace and leaves no trace. Without it passthrough is out of the
 * question; `minor` and `resend` are then read from a mount by fusermount3 in a temporary folder. Where neither
 * works, or not in time, `passthroughProblem` says so, `minor` is 0 and `resend` is taken from the kernel's
 * release (6.9 and later); the proposed features count as absent.
 *
 * Throws ERR_NO_DEVICE, with the remedy, where /dev/fuse cannot be opened.
 */
export async function probe(options: ProbeOptions = {}): Promise<KernelCapabilities> {
  close(openDevice())
  const deadline = options.deadlineMs ?? 5_000
  if (hasCapability(CAP.SYS_ADMIN)) return capabilitiesOf(await runProbe([], deadline))
  const directory = mkdtempSync(join(tmpdir(), 'evermount-probe-'))
  try {
    return capabilitiesOf(await runProbe([directory], deadline))
  } finally {
    if (mountAt(directory) !== undefined) await unmount(directory, { lazy: true }).catch(() => undefined)
    rmdirSync(directory)
  }
}

type Report = KernelCapabilities | { readonly failure: string }

function runProbe(args: readonly string[], deadline: number): Promise<Report> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [PROBE_MAIN, ...args], { stdio: ['ignore', 'pipe', 'ignore'] })
    let said = ''
    const timer = setTimeout(() => {
      child.kill('SIGKILL')
      resolve({ failure: `the probe did not end within ${deadline} ms` })
    }, deadline)
    child.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()))
    child.once('error', (error) => {
      clearTimeout(timer)
      resolve({ failure: error.message })
    })
    child.once('close', () => {
      clearTimeout(timer)
      resolve(said.endsWith('\n') ? (JSON.parse(said) as Report) : { failure: 'the probe ended early' })
    })
  })
}

function capabilitiesOf(report: Report): KernelCapabilities {
  if (!('failure' in report)) return report
  return {
    minor: 0,
    passthrough: false,
    passthroughProblem: `not known: ${report.failure}`,
    inodeCache: false,
    inodeCompare: false,
    resend: releaseIsAtLeast(6, 9),
    closeAll: false,
  }
}

function releaseIsAtLeast(major: number, minor: number): boolean {
  const [own = 0, ownMinor = 0] = release().split('.').map(Number)
  return own > major || (own === major && ownMinor >= minor)
}
