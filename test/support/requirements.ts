import { accessSync, constants } from 'node:fs'
import { execFileSync } from 'node:child_process'

/** What a test may need from the machine it runs on, and how to find out. */
const requirements = {
  root: () => process.getuid?.() === 0 || 'needs root',
  fuse: () => writable('/dev/fuse') || 'needs /dev/fuse',
  cpuLatency: () => writable('/dev/cpu_dma_latency') || 'needs root and /dev/cpu_dma_latency',
  fusermount3: () => runs('fusermount3', '-V') || 'needs fusermount3 (apt-get install fuse3)',
  unshare: () => runs('unshare', '-m', 'true') || 'needs unshare(1) and the right to make a mount namespace',
  bindfs: () => runs('bindfs', '-V') || 'needs bindfs (apt-get install bindfs)',
  fio: () => runs('fio', '--version') || 'needs fio (apt-get install fio)',
  cc: () => runs('cc', '--version') || 'needs a C compiler (apt-get install gcc libc6-dev)',
} as const

export type Requirement = keyof typeof requirements

function writable(path: string): boolean {
  try {
    accessSync(path, constants.R_OK | constants.W_OK)
    return true
  } catch {
    return false
  }
}

function runs(command: string, ...args: string[]): boolean {
  try {
    execFileSync(command, args, { stdio: 'ignore', timeout: 5000 })
    return true
  } catch {
    return false
  }
}

/** The part of vitest's test context that skips a test. */
interface Skippable {
  skip(note?: string): never
}

/**
 * Skips the test, with the reason, where the machine lacks something. With EVERMOUNT_REQUIRE_FUSE=1 lacking
 * it is a failure. Use in `beforeEach` or at the top of a test.
 */
export function requireOrSkip(context: Skippable, ...needed: Requirement[]): void {
  const lacking = needed.map((name) => requirements[name]()).filter((answer) => answer !== true)
  if (lacking.length === 0) return
  const reason = lacking.join('; ')
  if (process.env['EVERMOUNT_REQUIRE_FUSE'] === '1')
    throw new Error(`EVERMOUNT_REQUIRE_FUSE=1, but: ${reason}`)
  context.skip(reason)
}
