import type { InitFlagName } from '../protocol/flags/init.js'
import type { NotifyCodeName } from '../protocol/notify-code.js'

/**
 * A kernel as this model can be told to behave; everything in which kernels differ stands here. `linux-*` are
 * released kernels. The other two are the proposal for passthrough across restarts, in its first form (a flag with
 * which an open uses the backing file that the inode has) and its second (backing inodes compared).
 */
export interface KernelProfile {
  readonly name: ProfileName
  /** Minor number of the protocol that the kernel announces. */
  readonly minor: number

  /** Whether bit 8 of an OPEN reply, PASSTHROUGH_INODE_CACHE, is known. */
  readonly inodeCache: boolean
  /** What makes two registrations the same backing file. */
  readonly sameBacking: 'registration' | 'inode'
  /** How all registrations are closed at once, if there is a way. */
  readonly closeAll: 'none' | 'id' | 'ioctl'

  /** Flags of INIT that are not offered. */
  readonly missingFlags: readonly InitFlagName[]
  /** Notifications that are not known. */
  readonly missingNotifications: readonly NotifyCodeName[]
  /** Names of entries may be as long as a path, where pages of requests allow; else 1024 bytes. */
  readonly longNames: boolean
  /** READDIR asks for as much as its caller has room for, not for a page. */
  readonly largeReaddir: boolean
  /** COPY_FILE_RANGE_64, whose answer tells more than 32 bits, is tried before COPY_FILE_RANGE. */
  readonly longCopies: boolean
  /** A flock that the server refused is let go at RELEASE as well. */
  readonly unlocksRefusedFlock: boolean
}

export type ProfileName = 'linux-6.12' | 'linux-6.18' | 'inode-cache' | 'inode-compare'

const linux612 = {
  minor: 41,
  inodeCache: false,
  sameBacking: 'registration',
  closeAll: 'none',
  missingFlags: ['REQUEST_TIMEOUT'],
  missingNotifications: ['INC_EPOCH', 'PRUNE'],
  longNames: false,
  largeReaddir: false,
  longCopies: false,
  unlocksRefusedFlock: false,
} as const

export const profiles: Readonly<Record<ProfileName, KernelProfile>> = {
  'linux-6.12': { ...linux612, name: 'linux-6.12' },
  'linux-6.18': {
    ...linux612,
    name: 'linux-6.18',
    minor: 45,
    missingFlags: [],
    missingNotifications: [],
    longNames: true,
    largeReaddir: true,
    longCopies: true,
    unlocksRefusedFlock: true,
  },
  'inode-cache': { ...linux612, name: 'inode-cache', inodeCache: true, closeAll: 'id' },
  'inode-compare': { ...linux612, name: 'inode-compare', sameBacking: 'inode', closeAll: 'ioctl' },
}
