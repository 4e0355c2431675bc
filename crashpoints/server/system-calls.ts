import koffi from 'koffi'
import { ServerKilled } from '../../src/kernel-model/connection/server-life.js'
import { Syscall } from '../../src/native/syscall-numbers.js'
import { currentLife, type Life } from './life.js'

/*
 * Makes each system call of the native layer a step of the life that makes it. The native layer declares its calls when
 * it is loaded, by koffi.load(): this file, imported before it, puts its own calls in their place. Where it is not
 * imported (everywhere but here) the native layer holds koffi's own functions, and nothing is in their way.
 */

type Call = ((...args: unknown[]) => unknown) & {
  async: (...args: unknown[]) => void
  info?: { name: string }
}
type Callback = (error: unknown, result: unknown) => void

const F_DUPFD_CLOEXEC = 1030
const numbered = new Map<unknown, string>(Object.entries(Syscall).map(([name, number]) => [number, name]))

const OPENING: ReadonlySet<string> = new Set(['openat', 'openat2', 'open_by_handle_at', 'memfd_create'])
/** What changes only the process itself: what a dead one asks for on the way out of its `finally` blocks is not done. */
const OWN: ReadonlySet<string> = new Set([
  ...['close', 'umask', 'setfsuid', 'setfsgid', 'setgroups', 'getgroups', 'capget', 'capset'],
])

function nameOf(declared: string, args: readonly unknown[]): string {
  return declared === 'syscall' ? (numbered.get(args[0]) ?? `syscall ${String(args[0])}`) : declared
}

function track(life: Life, name: string, args: readonly unknown[], result: unknown): void {
  const opens = OPENING.has(name) || (name === 'fcntl' && args[1] === F_DUPFD_CLOEXEC)
  if (opens && Number(result) >= 0) life.fds.add(Number(result))
  else if (name === 'close') life.fds.delete(Number(args[0]))
}

function stepping(declared: string, call: Call): Call {
  const made = (...args: unknown[]): unknown => {
    const life = currentLife()
    if (life === undefined) return call(...args)
    const name = nameOf(declared, args)
    if (life.isDead && OWN.has(name)) return 0
    life.step(name)
    const result = call(...args)
    track(life, name, args, result)
    return result
  }
  const async = (...args: unknown[]): void => {
    const life = currentLife()
    if (life === undefined) {
      call.async(...args)
      return
    }
    const name = nameOf(declared, args)
    const callback = args.pop() as Callback
    life.step(name)
    life.inFlight++
    call.async(...args, (error: unknown, result: unknown) => {
      life.inFlight--
      if (life.isDead) return
      life.run(() => {
        goOn(() => {
          life.step(`return of ${name}`)
          callback(error, result)
        })
      })
    })
  }
  return Object.assign(made, { async })
}

/** Nobody above could take the exception of a server that dies here. */
function goOn(action: () => void): void {
  try {
    action()
  } catch (error) {
    if (!(error instanceof ServerKilled)) throw error
  }
}

interface Library {
  func(...declaration: unknown[]): Call
}

const loader = koffi as unknown as { load(path: null): Library }
const load = loader.load.bind(loader)
loader.load = (path) => {
  const library = load(path)
  return {
    func: (...declaration) => {
      const call = library.func(...declaration)
      return stepping(call.info?.name ?? 'a call', call)
    },
  }
}
