/**
 * Loaded into each process of a mount (NODE_OPTIONS=--import): at SIGUSR2 the process begins to be observed, at the next one
 * what was seen is written to the file that PROFILE_OUTPUT names. PROFILE_OF says what is looked at.
 */
import { renameSync, writeFileSync } from 'node:fs'
import { Session } from 'node:inspector/promises'
import { PerformanceObserver } from 'node:perf_hooks'

const INTERVAL_US = 100
/** Of one allocation in so many bytes it is noted where it was made. */
const INTERVAL_BYTES = 512

interface Recorder {
  begin(): Promise<void>
  /** What was seen, as JSON can say it. */
  end(): Promise<object>
}

/** Where time goes: a profile as the developer tools of a browser read it. */
function times(): Recorder {
  const session = new Session()
  return {
    async begin() {
      session.connect()
      await session.post('Profiler.enable')
      await session.post('Profiler.setSamplingInterval', { interval: INTERVAL_US })
      await session.post('Profiler.start')
    },
    end: async () => (await session.post('Profiler.stop')).profile,
  }
}

/** Where objects are made, also those that are collected meanwhile. */
function allocations(): Recorder {
  const session = new Session()
  const all = { includeObjectsCollectedByMajorGC: true, includeObjectsCollectedByMinorGC: true }
  return {
    async begin() {
      session.connect()
      await session.post('HeapProfiler.enable')
      await session.post('HeapProfiler.startSampling', { samplingInterval: INTERVAL_BYTES, ...all })
    },
    end: async () => (await session.post('HeapProfiler.stopSampling')).profile,
  }
}

/** How long the collector stops the thread. */
function collections(): Recorder {
  const seen = { count: 0, milliseconds: 0 }
  const observer = new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) {
      seen.count++
      seen.milliseconds += duration
    }
  })
  return {
    begin() {
      observer.observe({ entryTypes: ['gc'] })
      return Promise.resolve()
    },
    end: () => {
      observer.disconnect()
      return Promise.resolve(seen)
    },
  }
}

const recorders: Readonly<Record<string, () => Recorder>> = { times, allocations, collections }
let recorder: Recorder | undefined

async function toggle(): Promise<void> {
  if (recorder === undefined) {
    recorder = recorders[process.env['PROFILE_OF'] ?? 'times']!()
    await recorder.begin()
  } else {
    const ended = recorder
    recorder = undefined
    const output = process.env['PROFILE_OUTPUT'] ?? 'server.cpuprofile'
    // Whoever waits for it finds it whole.
    writeFileSync(`${output}.part`, JSON.stringify(await ended.end()))
    renameSync(`${output}.part`, output)
  }
}

process.on('SIGUSR2', () => void toggle())
