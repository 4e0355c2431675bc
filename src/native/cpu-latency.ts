import { close } from './descriptor.js'
import { write } from './io.js'
import { cstring } from './libc.js'
import { AT, O } from './open-flags.js'
import { openat } from './path.js'

export const CPU_LATENCY = '/dev/cpu_dma_latency'
const DEVICE = cstring(CPU_LATENCY)
/** include/linux/pm_qos.h, PM_QOS_CPU_LATENCY_DEFAULT_VALUE: no limit, in microseconds. */
const NO_LIMIT = 2_000_000_000
const limit = new Int32Array(1)
const limitBytes = new Uint8Array(limit.buffer)

/**
 * Asks the kernel not to let idle processors sleep so deeply that waking them takes longer than a limit (PM QoS,
 * Documentation/power/pm_qos_interface.rst). With limit 0 they stay in their first idle state, which polls on x86 with a cpuidle
 * driver; without a driver nothing changes. It holds for every processor of the machine until it is lifted or the last
 * descriptor of the open file is closed, at the latest when its processes have ended.
 */
export class CpuLatency {
  readonly #fd: number

  /** Takes over a descriptor of the device. */
  constructor(fd: number) {
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
