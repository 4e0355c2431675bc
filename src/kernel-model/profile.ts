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
}

export type ProfileName = 'linux-6.12' | 'linux-6.18' | 'inode-cache' | 'inode-compare'

const released = { inodeCache: false, sameBacking: 'registration', closeAll: 'none' } as const

export const profiles: Readonly<Record<ProfileName, KernelProfile>> = {
  'linux-6.12': { ...released, name: 'linux-6.12', minor: 41 },
  'linux-6.18': { ...released, name: 'linux-6.18', minor: 45 },
  'inode-cache': { ...released, name: 'inode-cache', minor: 41, inodeCache: true, closeAll: 'id' },
  'inode-compare': { ...released, name: 'inode-compare', minor: 41, sameBacking: 'inode', closeAll: 'ioctl' },
}
