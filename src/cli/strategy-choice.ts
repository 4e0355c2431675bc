import { FuseError } from '../errors/index.js'
import { chooseStrategy, type KernelCapabilities } from '../passthrough/capabilities.js'
import { strategies, type PassthroughStrategy } from '../passthrough/strategy.js'

/** Names of the strategies as an option takes them; `auto`: the best that the kernel can do. */
export const STRATEGY_CHOICES = ['auto', 'journal', 'inode-cache', 'inode-compare'] as const

export type StrategyChoice = (typeof STRATEGY_CHOICES)[number]

/** Throws ERR_INIT_REFUSED for a strategy that the kernel cannot do: its opens would fail with EIO. */
export function pickStrategy(choice: StrategyChoice, capabilities: KernelCapabilities): PassthroughStrategy {
  switch (choice) {
    case 'auto':
      return chooseStrategy(capabilities)
    case 'journal':
      return strategies.journal
    case 'inode-cache':
      if (capabilities.inodeCache) return strategies.inodeCache
      throw refusal(choice, 'this kernel does not know FOPEN_PASSTHROUGH_INODE_CACHE')
    case 'inode-compare':
      if (capabilities.inodeCompare) return strategies.inodeCompare
      throw refusal(choice, 'this kernel takes a second registration of a file for another file')
  }
}

function refusal(choice: StrategyChoice, reason: string): FuseError {
  return new FuseError(
    'ERR_INIT_REFUSED',
    { flag: `strategy ${choice}`, reason },
    {
      remedy:
        'Leave the choice to the program (--strategy auto), or take journal, which works on Linux 6.9+.',
    },
  )
}
