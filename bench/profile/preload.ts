/**
 * Loaded into each process of a mount (NODE_OPTIONS=--import): at SIGUSR2 the process begins to be profiled, at the next
 * one its profile is written to the file that PROFILE_OUTPUT names.
 */
import { writeFileSync } from 'node:fs'
import { Session } from 'node:inspector/promises'

const INTERVAL_US = 100

let session: Session | undefined

async function toggle(): Promise<void> {
  if (session === undefined) {
    session = new Session()
    session.connect()
    await session.post('Profiler.enable')
    await session.post('Profiler.setSamplingInterval', { interval: INTERVAL_US })
    await session.post('Profiler.start')
    return
  }
  const { profile } = await session.post('Profiler.stop')
  session.disconnect()
  session = undefined
  writeFileSync(process.env['PROFILE_OUTPUT'] ?? 'server.cpuprofile', JSON.stringify(profile))
}

process.on('SIGUSR2', () => void toggle())
