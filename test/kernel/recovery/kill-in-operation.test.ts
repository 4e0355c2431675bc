import { afterAll, beforeEach, describe, it } from 'vitest'
import { requireOrSkip } from '../../support/requirements.js'
import { expectNothingLeft, killDuring, makePair, type Pair } from './kill-in-operation.js'
import { cases, pointsOf } from './operations.js'

/** One mount for all: every operation meets a server that has taken over many times already. */
describe('a server killed during an operation, with passthrough', { timeout: 120_000 }, () => {
  let made: Promise<Pair & AsyncDisposable> | undefined
  beforeEach((context) => {
    requireOrSkip(context, 'root', 'fuse')
  })
  afterAll(async () => {
    await (await made)?.[Symbol.asyncDispose]()
  })

  for (const each of cases.filter(({ io }) => io !== true)) {
    it(`${each.operation} ${each.variant ?? ''}`, async () => {
      made ??= makePair({ passthrough: true })
      const pair = await made
      for (const point of pointsOf(each)) await killDuring(pair, each, point)
    })
  }

  it('leaves nothing behind', async () => {
    if (made !== undefined) await expectNothingLeft(await made)
  })
})
