const SLICE_MS = 2

/** End of a slice of time (ms, monotonic), and the longest call that ended in it (ms). */
export type LongestCall = readonly [ended: number, duration: number]

/** Of calls made without pause, the longest of each short slice of time. */
export class LongestCalls {
  readonly list: [ended: number, duration: number][] = []

  record(began: number, ended: number): void {
    const last = this.list.at(-1)
    const duration = ended - began
    if (last === undefined || ended - last[0] > SLICE_MS) this.list.push([ended, duration])
    else if (duration > last[1]) last[1] = duration
  }
}
