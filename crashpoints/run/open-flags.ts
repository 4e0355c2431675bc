import { AccessMode, openFlags } from '../../src/protocol/linux.js'

/** Access modes and flags of open(2) on this machine. */
export const O = { ...AccessMode, ...openFlags(process.arch === 'arm64' ? 'arm64' : 'x64') } as const
