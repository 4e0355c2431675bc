import { ServerKilled } from '../../src/kernel-model/connection/server-life.js'
import { replaceCalls, type Callback, type NameOf, type NativeFunction } from '../steps/koffi-calls.js'
import { currentLife, type Life } from './life.js'

/* Makes each system call of the native layer a step of the life that makes it. Imported before the native layer. */

const F_DUPFD_CLOEXEC = 1030

const OPENING: ReadonlySet<string> = new Set(['openat', 'openat2', 'open_by_handle_at', 'memfd_create'])
/** What changes only the process itself: what a dead one asks for on the way out of its `finally` blocks is not done. */
const OWN: ReadonlySet<string> = new Set([
  ...['close', 'umask', 'setfsuid', 'setfsgid', 'setgroups', 'getgroups', 'capget', 'capset'],
])

function track(life: Life, name: string, args: readonly unknown[], result: unknown): void {
  const opens = OPENING.has(name) || (name === 'fcntl' && args[1] === F_DUPFD_CLOEXEC)
  if (opens && Number(result) >= 0) life.fds.add(Number(result))
  else if (name === 'close') life.fds.delete(Number(args[0]))
}

function stepping(nameOf: NameOf, call: NativeFunction): NativeFunction {
  const made = (...args: unknown[]): unknown => {
    const life = currentLife()
    if (life === undefined) return call(...args)
    const name = nameOf(args)
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
    const name = nameOf(args)
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

replaceCalls(stepping)
