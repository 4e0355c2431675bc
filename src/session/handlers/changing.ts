import type { BegunChange } from '../../filesystem/begun-change.js'
import type { Awaitable, FileSystem } from '../../filesystem/file-system.js'
import { handler, type AnyHandler, type Handler, type Serving } from '../handler.js'
import { settleChange } from '../reconcile.js'
import type { RequestSlot } from '../request-slot.js'
import { supports, unsupported } from './request.js'

type Operation = BegunChange['operation']
export type ChangeOf<N extends Operation> = Extract<BegunChange, { readonly operation: N }>

/** An operation that cannot be done twice, for a file system that has it. */
export interface Changing<N extends Operation, Result> extends Pick<Handler<Result>, 'answer'> {
  readonly operation: N
  /** What the request asks for. */
  read(serving: Serving, slot: RequestSlot): Awaitable<ChangeOf<N>>
  carryOut(
    fs: FileSystem & Required<Pick<FileSystem, N>>,
    change: ChangeOf<N>,
    slot: RequestSlot,
  ): Awaitable<Result>
  /** The result when an earlier life has carried it out. */
  done(fs: FileSystem, change: ChangeOf<N>, slot: RequestSlot): Awaitable<Result>
}

/** A handler that asks, when its request comes again, whether the change has happened. */
export function changing<N extends Operation, Result>(made: Changing<N, Result>): AnyHandler {
  const { operation, answer } = made
  return handler<Result>({
    call: (serving, slot) => {
      const { fs } = serving
      if (!supports(fs, operation)) unsupported()
      const change = made.read(serving, slot)
      // Separate functions: one that has closures in it makes what they share at each call.
      if (change instanceof Promise) return later(change, fs, slot)
      return slot.begunBefore ? again(fs, change, slot) : made.carryOut(fs, change, slot)
    },
    answer,
  })

  type Able = FileSystem & Required<Pick<FileSystem, N>>

  function later(change: Promise<ChangeOf<N>>, fs: Able, slot: RequestSlot): Promise<Result> {
    return change.then((read) => (slot.begunBefore ? again(fs, read, slot) : made.carryOut(fs, read, slot)))
  }

  function again(fs: Able, change: ChangeOf<N>, slot: RequestSlot): Awaitable<Result> {
    return settleChange(fs, change, slot, {
      carryOut: () => made.carryOut(fs, change, slot),
      done: () => made.done(fs, change, slot),
    })
  }
}
