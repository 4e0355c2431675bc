import koffi from 'koffi'
import { Syscall } from '../../src/native/syscall-numbers.js'

/*
 * The native layer declares its calls when it is loaded, by koffi.load(): a program that imports this file, and calls
 * `replaceCalls` before it loads the native layer, puts calls of its own in their place. Where it is not imported (everywhere but
 * here) the native layer holds koffi's own functions, and nothing is in their way.
 */

export type Callback = (error: unknown, result: unknown) => void
export type NativeFunction = ((...args: unknown[]) => unknown) & {
  async: (...args: unknown[]) => void
  info?: { name: string }
}
/** The name of a call that is about to be made: that of the system call where it goes by number. */
export type NameOf = (args: readonly unknown[]) => string

const numbered = new Map<unknown, string>(Object.entries(Syscall).map(([name, number]) => [number, name]))

interface Library {
  func(...declaration: unknown[]): NativeFunction
}

/** Every function that is declared from now on is what `wrap` makes of it. */
export function replaceCalls(wrap: (nameOf: NameOf, call: NativeFunction) => NativeFunction): void {
  const loader = koffi as unknown as { load(path: null): Library }
  const load = loader.load.bind(loader)
  loader.load = (path) => {
    const library = load(path)
    return {
      func: (...declaration) => {
        const call = library.func(...declaration)
        const declared = call.info?.name ?? 'a call'
        const nameOf: NameOf =
          declared === 'syscall'
            ? ([number]) => numbered.get(number) ?? `syscall ${String(number)}`
            : () => declared
        return wrap(nameOf, call)
      },
    }
  }
}
