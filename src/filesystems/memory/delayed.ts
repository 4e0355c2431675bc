import { setTimeout as delay } from 'node:timers/promises'
import type { FileSystem } from '../../filesystem/file-system.js'

/** What no request waits for happens at once. */
const AT_ONCE: ReadonlySet<PropertyKey> = new Set(['start', 'stop', 'forget'])

/**
 * A file system that takes its time: each operation begins so many milliseconds after its request has come, and can be
 * interrupted until then.
 */
export function delayed<File, Directory>(
  fs: FileSystem<File, Directory>,
  milliseconds: () => number,
): FileSystem<File, Directory> {
  return new Proxy(fs, {
    get(target, name) {
      const operation: unknown = Reflect.get(target, name)
      if (typeof operation !== 'function') return operation
      if (AT_ONCE.has(name)) return operation.bind(target) as unknown
      return async (...args: unknown[]): Promise<unknown> => {
        // The context is the last argument, where there is one.
        const { signal } = (args.at(-1) ?? {}) as { signal?: AbortSignal }
        await delay(milliseconds(), undefined, signal === undefined ? {} : { signal })
        return operation.apply(target, args) as unknown
      }
    },
  })
}
