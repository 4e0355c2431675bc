import type { BegunChange } from '../../filesystem/begun-change.js'
import type { Awaitable, FileSystem } from '../../filesystem/file-system.js'
import { after, handler, type AnyHandler, type Handler, type Serving } from '../handler.js'
import { settleChange } from '../reconcile.js'
import type { RequestSlot } from '../request-slot.js'
import { supports, unsupported } from './request.js'

type Operation = BegunChange['operation']
type ChangeOf<N extends Operation> = Extract<BegunChange, { readonly operation: N }>

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
      return after(made.read(serving, slot), (change) => {
        const carryOut = (): Awaitable<Result> => made.carryOut(fs, change, slot)
        if (!slot.begunBefore) return carryOut()
        return settleChange(fs, change, slot, { carryOut, done: () => made.done(fs, change, slot) })
      })
    },
    answer,
  })
}
