import { close } from './descriptor.js'
import { write } from './io.js'
import { cstring } from './libc.js'
import { AT, O } from './open-flags.js'
import { openat } from './path.js'

const DEVICE = cstring('/dev/cpu_dma_latency')
/** include/linux/pm_qos.h, PM_QOS_CPU_LATENCY_DEFAULT_VALUE: no limit, in microseconds. */
const NO_LIMIT = 2_000_000_000
const limit = new Int32Array(1)
const limitBytes = new Uint8Array(limit.buffer)

/**
 * Asks the kernel not to let idle processors sleep so deeply that waking them takes longer than a limit (PM QoS,
 * Documentation/power/pm_qos_interface.rst). Limit 0 keeps them from sleeping at all: they poll. It holds for every
 * processor of the machine until it is lifted, or the process ends, in whatever way.
 */
export class CpuLatency {
  readonly #fd: number

  private constructor(fd: number) {
    this.#fd = fd
  }

  /** Without a limit at first. -errno: -EACCES for who is not root, -ENOENT in many containers. */
  static open(): CpuLatency | number {
    const fd = openat(AT.FDCWD, DEVICE, O.WRONLY | O.CLOEXEC)
    return fd < 0 ? fd : new CpuLatency(fd)
  }

  /** Microseconds; undefined: no limit. Returns 0 or -errno. */
  set(microseconds: number | undefined): number {
    limit[0] = microseconds ?? NO_LIMIT
    return Math.min(write(this.#fd, limitBytes), 0)
  }

  close(): void {
    close(this.#fd)
  }
}
