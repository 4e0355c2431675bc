import { join } from 'node:path'
import type { Settings } from '../settings.js'
import { client, operations } from './client.js'
import { SERVERS_ALIKE, type Group } from './work.js'

const FILES = 1000
const CLIENTS = 16

/** Many clients at once that do a bit of everything, with caches that work. */
export function mixed({ clientSeconds, cacheTimeout }: Settings): Group {
  return {
    name: 'mixed, cached',
    rows: SERVERS_ALIKE,
    timeout: cacheTimeout,
    shared: false,
    inMemory: true,
    rehearses: true,
    works: [
      {
        name: `mixed, ${CLIENTS} clients`,
        unit: '1/s',
        measure: (subject) =>
          operations(subject, join(subject.directory, 'files'), {
            operation: 'mixed',
            clients: CLIENTS,
            seconds: clientSeconds,
            files: FILES,
          }),
      },
    ],
    prepare: async (source) => {
      await client(['prepare', join(source, 'files'), String(FILES), '4096', String(CLIENTS)])
    },
  }
}
