import { join } from 'node:path'
import { ROW_NAMES, type RowName } from '../results.js'
import type { Settings } from '../settings.js'
import { client, operations, OPERATIONS } from './client.js'
import { SERVERS_ALIKE, type Group, type Work } from './work.js'

const METADATA = 'metadata, uncached'

const FILES = 100
/** What further readers, and what JavaScript costs. */
const OTHER_CEILINGS: readonly RowName[] = ['ceiling, 2 readers', 'ceiling in Node.js, processors awake']

/**
 * Operations that reach the server each time: the kernel may rely on nothing. A stat is a GETATTR of the directory,
 * whose permissions are checked, a LOOKUP, and a GETATTR of the object. Of a listing the kernel may keep the entries
 * while a server that is asked at each opendir says that they are still right; `changed`: they are not.
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
      for (const isChanged of [false, true]) {
        works.push({
          name: `readdir of ${entries}${isChanged ? ', changed' : ''}, ${suffix}`,
          unit: '1/s',
          measure: (subject) =>
            operations(subject, join(subject.directory, folder), {
              operation: isChanged ? 'readdir-changed' : 'readdir',
              clients,
              seconds: entries > 1000 ? Math.max(seconds, 1) : seconds,
              files: entries,
              source: join(subject.source, folder),
            }),
        })
      }
    }
  }
  return {
    name: METADATA,
    rows: ROW_NAMES.filter((name) => OTHER_CEILINGS.includes(name) || SERVERS_ALIKE.includes(name)),
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
