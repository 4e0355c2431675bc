import { join } from 'node:path'
import type { Settings } from '../settings.js'
import { client, operations } from './client.js'
import type { Group, Work } from './work.js'

export const METADATA = 'metadata, uncached'

const FILES = 100

/** What an operation's name in the table is in the client. */
const OPERATIONS = {
  stat: 'stat',
  'open+close': 'open',
  'create+unlink': 'create',
  'mkdir+rmdir': 'mkdir',
  rename: 'rename',
} as const

/**
 * Operations that reach the server each time: the kernel may rely on nothing. A stat is a GETATTR of the directory,
 * whose permissions are checked, a LOOKUP, and a GETATTR of the object.
 *
 * In memory, because ext4 looks at every inode that was removed in the last seconds before it gives one out (fs/ext4/ialloc.c,
 * recently_deleted): there a loop of create and unlink measures that, and each row pays for the one before.
 */
export function metadata(settings: Settings): Group {
  const { clients: clientCounts, clientSeconds: seconds, manyFiles } = settings
  const works: Work[] = []
  for (const clients of clientCounts) {
    const suffix = `${clients} client${clients === 1 ? '' : 's'}`
    for (const [name, operation] of Object.entries(OPERATIONS)) {
      works.push({
        name: `${name}, ${suffix}`,
        unit: '1/s',
        measure: (subject) =>
          operations(subject, join(subject.directory, 'files'), {
            operation,
            clients,
            seconds,
            files: FILES,
          }),
      })
    }
    for (const [folder, entries] of [
      ['few', 10],
      ['many', manyFiles],
    ] as const) {
      works.push({
        name: `readdir of ${entries}, ${suffix}`,
        unit: '1/s',
        measure: (subject) =>
          operations(subject, join(subject.directory, folder), {
            operation: 'readdir',
            clients,
            seconds: entries > 1000 ? Math.max(seconds, 1) : seconds,
            files: entries,
          }),
      })
    }
  }
  return {
    name: METADATA,
    timeout: 0,
    shared: false,
    inMemory: true,
    rehearses: true,
    works,
    prepare: async (source, wanted) => {
      await client(['prepare', join(source, 'files'), String(FILES), '4096', '16'])
      await client(['prepare', join(source, 'few'), '10', '0', '0'])
      if (wanted.some(({ name }) => name.startsWith(`readdir of ${manyFiles}`))) {
        await client(['prepare', join(source, 'many'), String(manyFiles), '0', '0'])
      }
    },
  }
}
