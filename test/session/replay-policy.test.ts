import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { Opcode, type OpcodeName } from '../../src/protocol/opcode.js'
import { handlers } from '../../src/session/handlers/table.js'
import { replayPolicies } from '../../src/session/replay-policy.js'
import { dist, runCommand } from '../support/run-child.js'

describe('the replay policies', () => {
  it('are those of the operations that a session answers', () => {
    for (const [name, { kind }] of Object.entries(replayPolicies)) {
      const isAnswered = handlers[Opcode[name as OpcodeName]] !== undefined
      expect({ name, isAnswered }).toEqual({ name, isAnswered: !['session', 'unanswered'].includes(kind) })
    }
  })

  it('stand in docs/recovery.md as they are', async () => {
    const script = join(dirname(dist), 'scripts/replay-policy-table.mjs')
    expect(await runCommand(process.execPath, [script, '--check'], 20_000)).toMatchObject({
      code: 0,
      stderr: '',
    })
  })
})
