import { readdirSync } from 'node:fs'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { MemoryFileSystem } from '../../src/filesystems/memory/index.js'
import { strategies } from '../../src/passthrough/strategy.js'
import { rehearse, type Extent, type Rehearsal } from '../../src/session/rehearsal.js'
import { wantedCapabilities } from '../../src/session/wanted.js'

const OPTIONS = {
  timeouts: { entry: 0, attributes: 0 },
  wanted: wantedCapabilities({ passthrough: false, maxStackDepth: 1, defaultPermissions: true }),
  strategy: strategies.journal,
}

const EXTENT: Extent = { rounds: 12, isEnough: () => false, pause: nextTurn }

/** What becomes of a rehearsal: directories that it has made, lives that it has played, and whether it has ended. */
class Watched implements Rehearsal {
  made = 0
  lives = 0
  ended = false

  createFileSystem(): MemoryFileSystem {
    this.lives++
    const fs = new MemoryFileSystem()
    const mkdir = fs.mkdir.bind(fs)
    fs.mkdir = (...args) => {
      this.made++
      return mkdir(...args)
    }
    return fs
  }

  end(): void {
    this.ended = true
  }
}

describe('a rehearsal', () => {
  it('plays two lives', async () => {
    const watched = new Watched()
    await rehearse(watched, OPTIONS, { ...EXTENT, rounds: 3 })
    expect(watched).toMatchObject({ lives: 2, ended: true, made: 6 })
  })

  it('comes to its end as soon as its process is needed, which is told by an event', async () => {
    const watched = new Watched()
    let isAwaited = false
    setImmediate(() => {
      isAwaited = true
    })
    await rehearse(watched, OPTIONS, { ...EXTENT, isEnough: () => isAwaited })
    expect(watched).toMatchObject({ lives: 1, ended: true })
    expect(watched.made).toBeLessThan(4)
  })

  it('leaves its file system nothing to know', async () => {
    const watched = new Watched()
    let forgotten = 0
    const createFileSystem = watched.createFileSystem.bind(watched)
    watched.createFileSystem = () => {
      const fs = createFileSystem()
      const forget = fs.forget.bind(fs)
      fs.forget = (node) => {
        forgotten++
        forget(node)
      }
      return fs
    }
    await rehearse(watched, OPTIONS, { ...EXTENT, rounds: 2 })
    // A directory and a file in it.
    expect(forgotten).toBe(2 * watched.made)
  })

  it('that fails leaves nothing open', async () => {
    const open = (): number => readdirSync('/proc/self/fd').length
    const watched = new Watched()
    const createFileSystem = watched.createFileSystem.bind(watched)
    watched.createFileSystem = () => {
      const fs = createFileSystem()
      if (watched.lives === 2)
        fs.start = () => {
          throw new Error('no second life')
        }
      return fs
    }
    await rehearse(new Watched(), OPTIONS, { ...EXTENT, rounds: 1 })
    const before = open()
    await expect(rehearse(watched, OPTIONS, { ...EXTENT, rounds: 1 })).rejects.toThrow('no second life')
    expect(watched.ended).toBe(true)
    expect(open()).toBe(before)
  })
})
