import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { Errno } from '../../src/errors/errno.js'
import type { FileSystem } from '../../src/filesystem/file-system.js'
import { Journal } from '../../src/journal/journal.js'
import { Header } from '../../src/journal/layout.js'
import { PrivateMemory } from '../../src/journal/memory.js'
import { Session } from '../../src/session/session.js'
import { serveTo, sessionOptions } from '../support/session-lives.js'
import { TestKernel } from '../support/test-kernel.js'

/** rmdir takes a moment, except for `culprit`: once that is begun the life is over. */
class Life {
  readonly begun: string[] = []
  isOver = false
  readonly over: Promise<void>
  #end: () => void = () => undefined

  constructor() {
    this.over = new Promise((resolve) => {
      this.#end = () => {
        this.isOver = true
        resolve()
      }
    })
  }

  get fs(): FileSystem {
    return {
      rmdir: async (_parent: number, name: Uint8Array) => {
        const text = Buffer.from(name).toString()
        this.begun.push(text)
        if (text === 'culprit') this.#end()
        else await delay(5)
        // Nothing is answered by the dead.
        if (this.isOver) await new Promise<void>(() => undefined)
      },
    } as unknown as FileSystem
  }
}

describe('requests that come again as promises', () => {
  it('are begun one at a time once two lives have failed; the one that ends the next is answered with EIO', async () => {
    const kernel = new TestKernel()
    const memory = new PrivateMemory()
    const poisoned: string[] = []
    const journal = Journal.create(memory, 8)
    const names = ['innocent', 'culprit', 'bystander']
    let asked: Promise<{ error: number }>[] = []
    const lives: Life[] = []
    for (let number = 1; number <= 4; number++) {
      const life = new Life()
      lives.push(life)
      const options = { onPoisoned: ({ operation }: { operation: string }) => void poisoned.push(operation) }
      if (number === 1) {
        await serveTo(life.fs, options, kernel, memory)
        asked = names.map((name) => kernel.ask('RMDIR', 1, { names: [name] }))
      } else {
        // How the one before ended, as the supervisor notes it.
        journal.header.setU32(Header.crashes, number - 1)
        const session = new Session({ ...sessionOptions(kernel, memory, life.fs), ...options })
        await session.prepare()
        session.takeOver()
        void session.run()
      }
      if (number < 4) await life.over
    }
    expect((await Promise.all(asked)).map(({ error }) => error)).toEqual([0, Errno.EIO, 0])
    expect(poisoned).toEqual(['RMDIR'])
    // Beside each other at first; then in turn, and what was merely in hand beside the culprit is done.
    expect(lives[2]!.begun.at(-1)).toBe('culprit')
    expect(lives[3]!.begun).not.toContain('culprit')
    expect(journal.requests.inHand()).toEqual([])
    expect(journal.header.u32(Header.executing)).toBe(0)
    kernel.end()
  })
})
