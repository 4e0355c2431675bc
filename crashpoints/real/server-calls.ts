import { ServerFd } from '../../src/recovery/messages.js'
import { replaceCalls, type Callback, type NameOf, type NativeFunction } from '../steps/koffi-calls.js'
import { nothingToRead, otherStep, readStep } from './steps.js'

/* Makes each system call of a server's native layer a step. Imported before the native layer. */

function stepping(nameOf: NameOf, call: NativeFunction): NativeFunction {
  const made = (...args: unknown[]): unknown => {
    const name = nameOf(args)
    if (name === 'read' && args[0] === ServerFd.device) return readDevice(call, args)
    otherStep(() => (args[0] === ServerFd.device ? `device ${name}` : name))
    return call(...args)
  }
  const async = (...args: unknown[]): void => {
    const name = nameOf(args)
    const callback = args.pop() as Callback
    otherStep(() => name)
    call.async(...args, (error: unknown, result: unknown) => {
      otherStep(() => `return of ${name}`)
      callback(error, result)
    })
  }
  return Object.assign(made, { async })
}

function readDevice(call: NativeFunction, args: unknown[]): unknown {
  readStep(() => 'device read')
  const result = call(...args)
  if (Number(result) > 0) otherStep(() => 'return of device read')
  else nothingToRead()
  return result
}

replaceCalls(stepping)
