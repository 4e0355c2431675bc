/** The time, as the model sees it: real time and the time that timeouts are measured in are one. */
export interface Clock {
  /** Nanoseconds since the epoch. */
  now(): bigint
  /** Calls back once, when that time has come. The result calls it off. */
  at(time: bigint, callback: () => void): () => void
}

export const NANOSECONDS_PER_SECOND = 1_000_000_000n

/** Where a manual clock begins: 2026-01-01 00:00:00 UTC. */
export const CLOCK_START = 1_767_225_600n * NANOSECONDS_PER_SECOND

interface Alarm {
  readonly time: bigint
  readonly callback: () => void
}

/** Stands still until it is told to go on. */
export class ManualClock implements Clock {
  #now: bigint
  readonly #alarms: Alarm[] = []

  constructor(start: bigint = CLOCK_START) {
    this.#now = start
  }

  now(): bigint {
    return this.#now
  }

  at(time: bigint, callback: () => void): () => void {
    const alarm = { time, callback }
    this.#alarms.push(alarm)
    return () => {
      const index = this.#alarms.indexOf(alarm)
      if (index >= 0) this.#alarms.splice(index, 1)
    }
  }

  /** Lets time pass; alarms go off in the order of their times, each at its own. */
  advance(nanoseconds: bigint): void {
    const until = this.#now + nanoseconds
    for (;;) {
      const next = this.#earliest(until)
      if (next === undefined) break
      this.#alarms.splice(this.#alarms.indexOf(next), 1)
      if (next.time > this.#now) this.#now = next.time
      next.callback()
    }
    this.#now = until
  }

  #earliest(until: bigint): Alarm | undefined {
    let earliest: Alarm | undefined
    for (const alarm of this.#alarms) {
      if (alarm.time <= until && (earliest === undefined || alarm.time < earliest.time)) earliest = alarm
    }
    return earliest
  }
}
