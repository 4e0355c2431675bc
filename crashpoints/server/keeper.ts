import type { Keeper } from '../../src/filesystem/host.js'
import { LocalKeeper } from '../../src/recovery/keeper.js'
import { currentLife, outside } from './life.js'

/** The supervisor's keeper as its servers see it: what they ask of it is one step, and done whole or not at all. */
export class SteppedKeeper implements Keeper {
  readonly #keeper = new LocalKeeper()

  keep(node: number, fd: number): boolean {
    currentLife()?.step('keep')
    return outside(() => this.#keeper.keep(node, fd))
  }

  take(node: number): number {
    const life = currentLife()
    life?.step('take')
    const fd = outside(() => this.#keeper.take(node))
    if (fd >= 0) life?.fds.add(fd)
    return fd
  }

  drop(node: number): void {
    currentLife()?.step('drop')
    outside(() => {
      this.#keeper.drop(node)
    })
  }

  nodes(): readonly number[] {
    return this.#keeper.nodes()
  }

  close(): void {
    this.#keeper.close()
  }
}
