import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { FileSystem } from '../../src/filesystem/file-system.js'
import type { ProcessCalls } from '../../src/kernel-model/vfs/process-types.js'
import { openFlags } from '../../src/protocol/linux.js'
import { ModelLives } from '../support/model-lives.js'

const O = openFlags(process.arch === 'arm64' ? 'arm64' : 'x64')
const example = new URL('../../examples/notes.mjs', import.meta.url)
const { createFileSystem } = (await import(example.href)) as {
  createFileSystem: (options: { directory: string }) => FileSystem
}

async function work(app: ProcessCalls): Promise<string> {
  const fd = await app.open('/new', O.CREAT | O.EXCL | 2, 0o600)
  await app.write(fd, Buffer.from('first'))
  await app.rename('/new', '/moved')
  await app.write(fd, Buffer.from(' and second'))
  await app.unlink('/old')
  const text = Buffer.from(await app.pread(fd, 100, 0)).toString()
  await app.close(fd)
  await app.close(await app.open('/kept', O.TRUNC | 2))
  return text
}

/** What is left in the directory after servers that were killed at these points, and how many were. */
async function attempt(budgets: readonly number[]) {
  const directory = mkdtempSync(join(tmpdir(), 'evm-notes-'))
  try {
    for (const name of ['old', 'kept']) writeFileSync(join(directory, name), name)
    const lives = new ModelLives(() => createFileSystem({ directory }))
    await lives.begin()
    lives.arm(budgets)
    const text = await work(lives.mount.process({ uid: 0, gid: 0 }))
    const { points, kills } = lives
    lives.arm([])
    await lives.end()
    const files = readdirSync(directory).map((name) => [name, readFileSync(join(directory, name), 'utf8')])
    return { kills, points, outcome: { text, files } }
  } finally {
    rmSync(directory, { recursive: true })
  }
}

describe('examples/notes.mjs', () => {
  it('loses nothing and does nothing twice, wherever its server is killed', async () => {
    const { outcome, points } = await attempt([])
    expect(outcome).toEqual({
      text: 'first and second',
      files: [
        ['kept', ''],
        ['moved', 'first and second'],
      ],
    })
    for (let point = 0; point < points; point++) {
      const killed = await attempt([point])
      expect(killed.kills).toBe(1)
      expect(killed.outcome, `killed at ${point}`).toEqual(outcome)
    }
    expect(points).toBeGreaterThan(30)
  }, 60_000)

  it('reconciles as the documents show', () => {
    const lines = readFileSync(example, 'utf8').split('\n')
    const from = lines.indexOf('  reconcile(change) {')
    const method = lines.slice(from, lines.indexOf('  }', from) + 1)
    expect(method.length).toBe(11)
    const shown = method.map((line) => `  ${line}`).join('\n')
    for (const name of ['README.md', 'docs/recovery.md']) {
      expect(readFileSync(new URL(`../../${name}`, import.meta.url), 'utf8')).toContain(shown)
    }
  })
})
