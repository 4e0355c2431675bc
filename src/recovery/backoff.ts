const LONGEST_MS = 5_000

/**
 * How long to wait after so many failures in a row (in ms): not at all after the first, then ever longer. What cannot
 * live must not take the machine along.
 */
export function backoff(failures: number): number {
  return failures < 3 ? 0 : Math.min(LONGEST_MS, 25 * 2 ** (failures - 3))
}
