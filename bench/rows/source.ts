import type { Row } from './row.js'

/** The source directory itself. */
export const source: Row = {
  name: 'source',
  start: ({ source: directory }) =>
    Promise.resolve({ directory, servers: [], processes: {}, end: () => Promise.resolve() }),
}
