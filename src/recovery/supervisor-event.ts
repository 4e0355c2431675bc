import type { Wait } from './thread-waits.js'

/** What happens to a mount's processes. */
export type SupervisorEvent =
  | { readonly type: 'serving'; readonly pid: number; readonly life: number; readonly milliseconds: number }
  | { readonly type: 'initialised' }
  | { readonly type: 'refused'; readonly message: string }
  | { readonly type: 'standby ready'; readonly pid: number }
  | {
      readonly type: 'server ended'
      readonly role: 'active' | 'standby'
      readonly pid: number
      readonly signal: string | null
      readonly code: number | null
    }
  | { readonly type: 'stuck'; readonly pid: number; readonly seconds: number }
  /** It was killed, and has not ended: nothing may take its place. */
  | { readonly type: 'unkillable'; readonly pid: number; readonly waits: readonly Wait[] }
  /** This supervisor took charge of a mount whose supervisor had died. */
  | { readonly type: 'adopted'; readonly pid: number; readonly server: number }
  | { readonly type: 'poisoned'; readonly operation: string; readonly node: number; readonly pid: number }
  /** Descriptors of removed files that found no room: these files are lost with the server. */
  | { readonly type: 'not kept'; readonly count: number }
  /** No server can go on from the journal; the mount ends. */
  | { readonly type: 'damaged'; readonly message: string }
  | { readonly type: 'fallback'; readonly cause: string; readonly errno: number }
  | { readonly type: 'failed'; readonly message: string }

/** An event as a line for people; undefined: nothing that they need to know. */
export function describeEvent(event: SupervisorEvent): string | undefined {
  switch (event.type) {
    case 'server ended':
      return `${event.role} server ${event.pid} ended (${event.signal ?? `exit status ${event.code ?? 'unknown'}`})`
    case 'serving':
      return `server ${event.pid} serves, life ${event.life}, after ${event.milliseconds.toFixed(1)} ms`
    case 'stuck':
      return `server ${event.pid} shows no sign of life for ${event.seconds.toFixed(0)} s: it is replaced`
    case 'unkillable':
      return `server ${event.pid} does not end: ${event.waits.map(describeWait).join('; ')}`
    case 'adopted':
      return `supervisor ${event.pid} has taken charge of server ${event.server}`
    case 'poisoned':
      return `${event.operation} of node ${event.node} by ${event.pid} has ended three servers: answered with EIO`
    case 'not kept':
      return `${event.count} removed files that are open cannot be kept: no descriptors are left`
    case 'fallback':
      return `no passthrough: ${event.cause}`
    case 'damaged':
      return `the mount ends: ${event.message.split('\n', 1)[0]!}`
    case 'failed':
    case 'refused':
      return event.message.split('\n', 1)[0]
    case 'initialised':
    case 'standby ready':
      return undefined
  }
}

export function describeWait({ thread, name, state, where, call }: Wait): string {
  const at = where === '' ? '' : ` in ${where}`
  return `thread ${thread} (${name}) is in state ${state}${at}${call === '' ? '' : `, ${call}`}`
}
