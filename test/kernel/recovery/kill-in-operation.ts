import { lstatSync, mkdirSync, readFileSync, readdirSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import type { Call, MountClient, Outcome } from '../../support/mount-client.js'
import {
  superviseMirror,
  type SupervisedMirror,
  type SupervisedMirrorOptions,
} from '../../support/supervised-mirror.js'
import type { Case, Point } from './operations.js'

/** A directory with all that is in it, as text: to be compared with another. */
function contents(directory: string, prefix = ''): string[] {
  return readdirSync(directory)
    .sort()
    .flatMap((name) => {
      const path = join(directory, name)
      const stat = lstatSync(path)
      const { mode, nlink, uid, gid, rdev } = stat
      const line = `${prefix}${name} ${mode.toString(8)} links ${nlink} owner ${uid}:${gid} device ${rdev}`
      if (stat.isDirectory()) return [line, ...contents(path, `${prefix}${name}/`)]
      if (stat.isSymbolicLink()) return [`${line} -> ${readlinkSync(path)}`]
      return [stat.isFile() ? `${line}: ${readFileSync(path, 'latin1')}` : line]
    })
}

/** An outcome as it must be the same on the mount and beside it. */
function comparable(call: Call, outcome: Outcome): unknown {
  if (call[0] !== 'statfs') return [call, outcome]
  return [call, { ...(outcome.value as object), fuse: undefined }]
}

/** A mirror, a directory beside it, and for each a process that makes calls there. */
export interface Pair {
  readonly mirror: SupervisedMirror
  readonly client: MountClient
  readonly plain: { readonly client: MountClient; readonly directory: string }
}

/** Tears everything down at the end: no registration, node or process is left. */
export async function makePair(options: SupervisedMirrorOptions): Promise<Pair & AsyncDisposable> {
  const mirror = await superviseMirror({ guardMs: 240_000, ...options })
  const directory = join(mirror.folder, 'plain')
  mkdirSync(directory)
  const plain = { directory, client: mirror.client(directory) }
  return {
    mirror,
    client: mirror.client(),
    plain,
    [Symbol.asyncDispose]: () => mirror[Symbol.asyncDispose](),
  }
}

/** After everything is closed and forgotten nothing may be counted any more. */
export async function expectNothingLeft({ mirror, client }: Pair): Promise<void> {
  await client.finish()
  const status = await mirror.forgotten()
  expect(status).toMatchObject({ knownNodes: 1, keptDescriptors: 0, waiting: 0, requestsInHand: [] })
  // Without passthrough there is nothing to audit.
  if (status.passthrough) expect(await mirror.leaks()).toBe(0)
}

/**
 * Makes the calls of a case on the mount, with the server dying at a point of it, and the same calls in a plain
 * directory: nobody may be able to tell the two apart.
 */
export async function killDuring(
  { mirror, client, plain }: Pair,
  { operation, variant = '', before, call, after = [] }: Case,
  point: Point,
): Promise<void> {
  const folder = `${operation} ${variant} ${point}`
  mkdirSync(join(mirror.source, folder))
  mkdirSync(join(plain.directory, folder))
  for (const each of [client, plain.client]) {
    await each.do('closeAll')
    await each.do('within', folder)
  }
  const make = async (made: Call): Promise<void> => {
    const here = await client.call(made)
    const there = await plain.client.call(made)
    expect(comparable(made, here)).toEqual(comparable(made, there))
  }
  for (const made of before) await make(made)
  const { lives } = await mirror.until(({ state }) => state === 'serving')
  mirror.arm(`${operation}.${point}`)
  await make(call)
  // The caller may have its answer before the server has reached the point.
  const reached = (): boolean => !mirror.armed(`${operation}.${point}`)
  await expect.poll(reached, { timeout: 10_000, message: 'the operation came to the server' }).toBe(true)
  for (const made of after) await make(made)
  await mirror.until((status) => status.lives === lives + 1 && status.state === 'serving')
  expect(contents(join(mirror.source, folder))).toEqual(contents(join(plain.directory, folder)))
}
