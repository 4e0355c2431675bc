import { afterAll, beforeEach, describe, it } from 'vitest'
import { requireOrSkip } from '../../support/requirements.js'
import { expectNothingLeft, killDuring, makePair, type Pair } from './kill-in-operation.js'
import { cases, pointsOf } from './operations.js'

/**
 * Reads and writes go through the server, and objects are found by parent and name: the plainest machine there is.
 * Everything that changes names, and all io.
 */
describe('a server killed during an operation, without passthrough and handles', { timeout: 120_000 }, () => {
  let made: Promise<Pair & AsyncDisposable> | undefined
  beforeEach((context) => {
    requireOrSkip(context, 'root', 'fuse')
  })
  afterAll(async () => {
    await (await made)?.[Symbol.asyncDispose]()
  })

  const names = ['link', 'unlink', 'rmdir', 'rename', 'create', 'tmpfile', 'open', 'mkdir', 'release']
  for (const each of cases.filter(({ io, operation }) => io === true || names.includes(operation))) {
    it(`${each.operation} ${each.variant ?? ''}`, async () => {
      made ??= makePair({ passthrough: false, handles: 'never' })
      const pair = await made
      const points =
        each.io === true ? (['before', 'done', 'committed', 'answered'] as const) : pointsOf(each)
      for (const point of points) await killDuring(pair, each, point)
    })
  }

  it('read and write without the page cache', async () => {
    await using pair = await makePair({ passthrough: false, directIo: true })
    for (const each of cases.filter(({ operation }) => ['read', 'write'].includes(operation))) {
      for (const point of ['done', 'answered'] as const) await killDuring(pair, each, point)
    }
    await expectNothingLeft(pair)
  })

  it('leaves nothing behind', async () => {
    if (made !== undefined) await expectNothingLeft(await made)
  })
})
