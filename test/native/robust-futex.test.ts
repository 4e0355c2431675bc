import { spawn, type ChildProcessByStdio } from 'node:child_process'
import { once } from 'node:events'
import type { Readable, Writable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, it } from 'vitest'
import { close, ftruncate, mapShared, memfdCreate, ownerDied } from '../../src/native/index.js'

const NATIVE = fileURLToPath(new URL('../../dist/native/index.js', import.meta.url))

/** Owns the word in descriptor 3, says so, and goes on until it is killed or told to end by itself. */
const OWNER = `
  const { mapShared, ownUntilDeath } = await import(${JSON.stringify(NATIVE)})
  globalThis.word = new Uint8Array(mapShared(3, 4096, 0)).subarray(0, 4)
  console.log(ownUntilDeath(word))
  process.stdin.on('data', () => process.exit(0))
`

const memory = memfdCreate('robust-futex-test')
ftruncate(memory, 4096)
const mapped = mapShared(memory, 4096, 0) as ArrayBuffer
const word = new Uint8Array(mapped).subarray(0, 4)

async function startOwner() {
  const args = ['--input-type=module', '--eval', OWNER]
  const stdio = ['pipe', 'pipe', 'inherit', memory] as const
  const child = spawn(process.execPath, args, { stdio: [...stdio] }) as ChildProcessByStdio<
    Writable,
    Readable,
    null
  >
  const [said] = (await once(child.stdout, 'data')) as [Buffer]
  expect(Number(said.toString())).toBeGreaterThanOrEqual(0)
  return child
}

afterAll(() => {
  close(memory)
})

describe('a word that tells of its owner’s end', () => {
  it.each(['SIGKILL', 'exit'])('after %s', async (way) => {
    const child = await startOwner()
    const ended = once(child, 'exit')
    const died = ownerDied(word, child.pid!)
    if (way === 'SIGKILL') child.kill('SIGKILL')
    else child.stdin.write('end')
    expect(await died).toBe(true)
    await ended
    // Also for who asks afterwards.
    expect(await ownerDied(word, child.pid!)).toBe(true)
  })

  it('is silent while the owner lives, and says no when another owns the word', async () => {
    const first = await startOwner()
    const early = await Promise.race([
      ownerDied(word, first.pid!),
      new Promise((resolve) => setTimeout(resolve, 100, 'silent')),
    ])
    expect(early).toBe('silent')
    const asked = ownerDied(word, first.pid!)
    const second = await startOwner()
    expect(await asked).toBe(false)
    first.kill('SIGKILL')
    await once(first, 'exit')
    expect(new DataView(mapped).getUint32(0, true)).toBe((second.pid! | 0x80000000) >>> 0)
    second.kill('SIGKILL')
    await once(second, 'exit')
  })
})
