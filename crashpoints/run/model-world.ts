import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { Kernel, LocalFiles, profiles, type KernelProfile } from '../../src/kernel-model/index.js'
import { strategies, type PassthroughStrategy } from '../../src/passthrough/strategy.js'
import { CrashServer } from '../server/server.js'
import { disagreements } from './accounts.js'
import { Client } from './client.js'
import type { World } from './world.js'

/** How the mirror reaches objects and data: each in the two ways there are. */
export interface Ground {
  readonly name: string
  readonly handles: 'auto' | 'never'
  readonly passthrough: boolean
  readonly strategy: PassthroughStrategy
  /** A successor is ready before its predecessor dies; else it begins only then. */
  readonly standby: boolean
  readonly profile: KernelProfile
  /** Played is only what opens files: the rest is as on the first one. */
  readonly filesOnly?: boolean
}

const kernel = profiles['linux-6.18']

export const grounds: readonly Ground[] = [
  {
    name: 'by handle, passed through',
    handles: 'auto',
    passthrough: true,
    strategy: strategies.journal,
    standby: false,
    profile: kernel,
  },
  {
    name: 'by name, through the server, a standby',
    handles: 'never',
    passthrough: false,
    strategy: strategies.journal,
    standby: true,
    profile: kernel,
  },
  {
    name: 'passed through, inode cache, a standby',
    handles: 'auto',
    passthrough: true,
    strategy: strategies.inodeCache,
    standby: true,
    profile: profiles['inode-cache'],
    filesOnly: true,
  },
  {
    name: 'passed through, inode compare',
    handles: 'never',
    passthrough: true,
    strategy: strategies.inodeCompare,
    standby: false,
    profile: profiles['inode-compare'],
    filesOnly: true,
  },
]

function openDescriptors(): number {
  return readdirSync('/proc/self/fd').length
}

/** A fresh directory below `scratch`, mirrored by a server to a kernel of its own. */
export async function makeWorld(scratch: string, ground: Ground): Promise<World> {
  const folder = mkdtempSync(join(scratch, 'world-'))
  const source = join(folder, 'source')
  mkdirSync(source)
  const descriptors = openDescriptors()
  const { handles, passthrough, strategy, profile } = ground
  const kernel = new Kernel({ profile, host: new LocalFiles() })
  const mount = kernel.mount({ allowOther: true, defaultPermissions: true })
  const server = new CrashServer(mount, strategy, ground.standby, { source, handles, passthrough })
  await server.start()
  return {
    source,
    server,
    get journal() {
      return server.journal
    },
    client: (name, user = { uid: 0, gid: 0 }) => new Client(name, kernel.process(user)),
    dropCaches: () => {
      mount.dropCaches()
      return Promise.resolve()
    },
    forgetAll: async () => {
      mount.dropCaches()
      await server.settle()
    },
    // The server reads the request in this turn of the loop; what it then does on another thread lasts longer.
    untilInHand: async () => {
      for (let tries = 0; tries < 200 && mount.connection.inHand === 0; tries++) await Promise.resolve()
    },
    disagreements: () => Promise.resolve(disagreements(mount, server.journal)),
    keptDescriptors: () => Promise.resolve(server.keeper.nodes().length),
    abort: () => {
      mount.connection.abort()
    },
    end: async () => {
      await server.end()
      const left = openDescriptors() - descriptors
      rmSync(folder, { recursive: true, force: true })
      if (left > 0) throw new Error(`${left} descriptors are left open`)
    },
  }
}
