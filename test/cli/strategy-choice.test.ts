import { describe, expect, it } from 'vitest'
import { pickStrategy, STRATEGY_CHOICES } from '../../src/cli/strategy-choice.js'
import type { KernelCapabilities } from '../../src/passthrough/capabilities.js'

const plain: KernelCapabilities = {
  minor: 45,
  passthrough: true,
  inodeCache: false,
  inodeCompare: false,
  resend: true,
  closeAll: false,
}

describe('pickStrategy', () => {
  it('takes what is asked for where the kernel can do it', () => {
    const able = { ...plain, inodeCache: true, inodeCompare: true }
    const names = STRATEGY_CHOICES.map((choice) => pickStrategy(choice, able).name)
    expect(names).toEqual(['inode cache', 'journal', 'inode cache', 'inode compare'])
  })

  it('goes by the kernel when nothing is asked for', () => {
    expect(pickStrategy('auto', plain).name).toBe('journal')
    expect(pickStrategy('auto', { ...plain, inodeCompare: true }).name).toBe('inode compare')
  })

  it.each(['inode-cache', 'inode-compare'] as const)('refuses %s where opens would fail', (choice) => {
    expect(() => pickStrategy(choice, plain)).toThrow(
      expect.objectContaining({
        code: 'ERR_INIT_REFUSED',
        remedy: expect.stringContaining('journal') as string,
      }),
    )
  })
})
