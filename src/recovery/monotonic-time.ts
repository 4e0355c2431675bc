/** Milliseconds of CLOCK_MONOTONIC: the same in every process, and never set. */
export function monotonicTime(): number {
  return Number(process.hrtime.bigint()) / 1e6
}
