import { describe, expect, it } from 'vitest'
import { MemoryFileSystem } from '../../src/filesystems/memory/index.js'
import { strategies } from '../../src/passthrough/strategy.js'
import { rehearse, type Rehearsal } from '../../src/session/rehearsal.js'
import { wantedCapabilities } from '../../src/session/wanted.js'

const OPTIONS = {
  timeouts: { entry: 0, attributes: 0 },
  wanted: wantedCapabilities({ passthrough: false, maxStackDepth: 1, defaultPermissions: true }),
  strategy: strategies.journal,
}

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
    await rehearse(watched, OPTIONS, { rounds: 3, isEnough: () => false })
    expect(watched).toMatchObject({ lives: 2, ended: true, made: 6 })
  })

  it('comes to its end as soon as its process is needed, which is told by an event', async () => {
    const watched = new Watched()
    let isAwaited = false
    setImmediate(() => {
      isAwaited = true
    })
    await rehearse(watched, OPTIONS, { rounds: 12, isEnough: () => isAwaited })
    expect(watched).toMatchObject({ lives: 1, ended: true })
    expect(watched.made).toBeLessThan(4)
  })
})
