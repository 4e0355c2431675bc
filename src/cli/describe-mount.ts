import type { MountStatus } from '../recovery/control.js'
import { RuntimeDirectory } from '../recovery/runtime-directory.js'
import { describeWait } from '../recovery/supervisor-event.js'
import type { FoundMount } from './mounts.js'
import { table } from './output.js'

export interface MountSummary {
  readonly state: string
  readonly description: string
  readonly supervisorPid: number | null
}

type Unsupervised = Extract<FoundMount, { kind: 'unsupervised' }>

/** One mount in a line. */
export function stateOf(found: FoundMount): MountSummary {
  switch (found.kind) {
    case 'supervised': {
      const { state, description, pids } = found.status
      return { state, description, supervisorPid: pids.supervisor }
    }
    case 'unsupervised':
      return {
        state: unsupervisedState(found),
        description: found.note?.description ?? '',
        supervisorPid: null,
      }
    case 'remains':
      return {
        state: found.problem === undefined ? 'not mounted, remains only' : 'had to end',
        description: '',
        supervisorPid: null,
      }
  }
}

function unsupervisedState({ supervisor, liveness }: Unsupervised): string {
  const servers = { alive: 'still served', dead: 'dead', silent: 'does not answer' }[liveness]
  // Another user's, or one that a program serves itself.
  if (supervisor === 'elsewhere' && liveness === 'alive') return 'served, not supervised by this user'
  const whose = {
    gone: 'supervisor gone',
    silent: 'supervisor does not answer',
    elsewhere: 'supervisor unknown',
  }[supervisor]
  return `${whose}, ${servers}`
}

/** All that is known of a mount, for people. */
export function describeMount(found: FoundMount): string[] {
  const { state, description } = stateOf(found)
  if (found.kind === 'supervised') return describeStatus(found.status)
  const problem = found.kind === 'remains' ? found.problem : undefined
  const remedy =
    found.kind === 'remains'
      ? `remove what is left of it: evermount unmount ${found.mountPoint}`
      : `unmount it: evermount unmount ${found.mountPoint}`
  return table([
    ['mount point', found.mountPoint],
    ['description', description],
    ['state', state],
    ...(problem === undefined
      ? []
      : [
          ['problem', problem],
          ['kept in', RuntimeDirectory.of(found.mountPoint).path],
        ]),
    ...(state.startsWith('served') ? [] : [['remedy', remedy]]),
  ])
}

function describeStatus(status: MountStatus): string[] {
  const { pids, requestsInHand, requests } = status
  const counts = Object.entries(requests).sort(([, a], [, b]) => b - a)
  return [
    ...table([
      ['mount point', status.mountPoint],
      ['description', status.description],
      ['state', status.state],
      ['supervisor', String(pids.supervisor)],
      ['server', pids.server === null ? 'none' : String(pids.server)],
      ['standby', standbyOf(status)],
      ...(status.problem === null ? [] : [['problem', status.problem]]),
      ...stuckServer(status),
      ...status.poisoned.map(({ operation, node, pid }) => [
        'refused',
        `${operation} of node ${node} by ${pid}: it had ended three servers`,
      ]),
      ['connection', String(status.connection)],
      ['strategy', status.strategy],
      ['passthrough', passthroughOf(status)],
      ['restarts', restartsOf(status)],
      ['since', status.startedAt],
      ['known nodes', String(status.knownNodes)],
      ['descriptors kept', String(status.keptDescriptors)],
      ['journal', `${Math.ceil(status.journalBytes / 1024)} KiB`],
      ['in flight', status.waiting === null ? 'not known' : `${status.waiting} in the kernel`],
    ]),
    ...requestsInHand.map(
      ({ operation, node, pid, ageMs }) =>
        `  ${operation} of node ${node} by ${pid}, ${(ageMs / 1000).toFixed(3)} s`,
    ),
    counts.length === 0 ? 'requests: none' : 'requests:',
    ...table(counts.map(([operation, count]) => [`  ${operation}`, String(count)])),
  ]
}

function restartsOf({ restarts, handovers, replacedSupervisors }: MountStatus): string {
  const supervisors = replacedSupervisors === 0 ? '' : `; of the supervisor: ${replacedSupervisors}`
  return `${restarts}, and ${handovers} planned${supervisors}`
}

/** What an operator needs to decide whether to wait or to abort. */
function stuckServer({ unkillable, mountPoint }: MountStatus): string[][] {
  if (unkillable === null) return []
  return [
    ['stuck', `server ${unkillable.pid} was killed and does not end; no other may take its place`],
    ...unkillable.waits.map((wait) => ['', describeWait(wait)]),
    ['remedy', `wait, or give the mount up: evermount unmount --abort ${mountPoint}`],
  ]
}

function standbyOf({ pids, standbyReady }: MountStatus): string {
  if (pids.standby === null) return 'none'
  return standbyReady ? String(pids.standby) : `${pids.standby}, getting ready`
}

function passthroughOf({ passthrough, passthroughProblem, fallbacks }: MountStatus): string {
  const causes = fallbacks.map(({ cause }) => cause)
  if (passthrough) return causes.length === 0 ? 'yes' : `yes, but for some files: ${causes.join(', ')}`
  return `no: ${passthroughProblem ?? causes.join(', ')}`
}
