import type { Notifier } from '../../src/filesystem/host.js'

/** What a kernel would have been told, one line each; it takes everything at once. */
export class Notifications {
  readonly told: string[] = []

  get notifier(): Notifier {
    const tell = (line: string): Promise<boolean> => {
      this.told.push(line)
      return Promise.resolve(true)
    }
    const text = (name: Uint8Array): string => Buffer.from(name).toString()
    return {
      invalidateInode: (node, offset = 0) => tell(`${offset < 0 ? 'attributes' : 'pages'} ${node}`),
      invalidateEntry: (parent, name) => tell(`invalidate ${parent}/${text(name)}`),
      expireEntry: (parent, name) => tell(`expire ${parent}/${text(name)}`),
      deleteEntry: (parent, node, name) => tell(`delete ${parent}/${text(name)} ${node}`),
      store: (node) => tell(`store ${node}`),
      retrieve: () => Promise.reject(new Error('not asked for')),
      poll: () => tell('poll'),
      incrementEpoch: () => tell('epoch'),
      prune: (nodes) => tell(`prune ${nodes.join(' ')}`),
      invalidateEverything: async () => {
        await tell('everything')
      },
    }
  }

  /** What has been told since the last time. */
  take(): string[] {
    return this.told.splice(0).sort()
  }
}
