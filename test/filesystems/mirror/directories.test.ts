import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Mirror, MirrorDirectory } from '../../../src/filesystems/mirror/index.js'
import { MirrorLives, list, walk } from '../../support/mirror-lives.js'
import { temporaryDirectories } from '../../support/temporary-directory.js'

const NAMES = Array.from({ length: 40 }, (_, index) => `f${index}`)

describe('reading a directory', () => {
  const temporary = temporaryDirectories()
  let source: string
  let lives: MirrorLives
  let mirror: Mirror
  let directory: MirrorDirectory
  let node: number

  beforeEach(() => {
    source = temporary()
    mkdirSync(join(source, 'd'))
    for (const name of NAMES) writeFileSync(join(source, 'd', name), '')
    lives = new MirrorLives({ source })
    mirror = lives.next()
    node = walk(mirror, 'd').node
    directory = mirror.opendir(node).directory
  })
  afterEach(() => {
    lives.end()
  })

  const names = (from?: number | bigint, limit?: number): string[] =>
    list(mirror, node, directory, from, limit).map(({ name }) => name)
  const sorted = (...more: readonly string[]): string[] => ['.', '..', ...NAMES, ...more].sort()

  it('begins anew each time it is asked from the beginning, with what has been added', () => {
    expect(names().sort()).toEqual(sorted())
    writeFileSync(join(source, 'd', 'late'), '')
    expect(names().sort()).toEqual(sorted('late'))
    expect(names(0, 3)).toHaveLength(3)
    expect(names().sort()).toEqual(sorted('late'))
    // A first entry that does not fit has been read all the same.
    expect(names(0, 0)).toEqual([])
    expect(names().sort()).toEqual(sorted('late'))
  })

  it('goes on from where a page ended, in the same life and in the next', () => {
    const page = list(mirror, node, directory, 0, 7)
    const { offset } = page.at(-1)!
    const rest = names(offset)
    expect([...page.map(({ name }) => name), ...rest].sort()).toEqual(sorted())
    mirror = lives.next()
    directory = mirror.reopendir(node)
    expect(names(offset)).toEqual(rest)
    expect(names(0, 7)).toEqual(page.map(({ name }) => name))
    expect(names(offset)).toEqual(rest)
  })
})
