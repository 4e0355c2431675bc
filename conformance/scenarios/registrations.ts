import type { Scenario } from '../scenario.js'
import { CACHED, FRESH, KEPT, call, opened, other, server, takeover } from './steps.js'

/** Backing files of a connection: every row of the table of refusals, and what closing an id does. */
export const registrations: readonly Scenario[] = [
  {
    name: 'register: passthrough not negotiated',
    about: ['B2'],
    setup: { init: { without: ['PASSTHROUGH'] } },
    steps: [server('register', 'f1')],
  },
  {
    name: 'register: without privilege',
    about: ['B2'],
    steps: [server('register', 'f1', { unprivileged: true }), server('register', 'f1')],
  },
  {
    name: 'register: flags or padding',
    about: ['B3', 'B8'],
    steps: [
      server('register', 'f1', { flags: 1 }),
      server('register', 'f1', { padding: 7 }),
      server('register', 'closed', { flags: 1 }),
      server('register', 'f1'),
    ],
  },
  {
    name: 'register: what is no regular file',
    about: ['B4', 'B5', 'B6'],
    steps: [
      server('register', 'closed'),
      server('register', 'directory'),
      server('register', '/dev/null'),
      server('register', 'f1', { path: true }),
    ],
  },
  {
    name: 'register: a stacked file system',
    about: ['B7'],
    setup: { init: { maxStackDepth: 1 } },
    steps: [server('register', '@stacked'), server('register', 'f1')],
  },
  {
    name: 'register: a stacked file system within the depth',
    setup: { init: { maxStackDepth: 2 } },
    steps: [server('register', '@stacked')],
  },
  {
    name: 'register: a file system that is never to lie below another',
    about: ['B7'],
    steps: [server('register', '/proc/version'), server('register', '/sys/kernel/uevent_seqnum')],
  },
  {
    name: 'ids go upward and are not used again',
    about: ['B8', 'B9', 'B10', 'B11'],
    steps: [
      server('register', 'f1', { label: 'x' }),
      server('register', 'f1'),
      server('close-id', { label: 'x' }),
      server('close-id', { label: 'x' }),
      server('register', 'f2'),
      server('close-id', 0),
      server('close-id', -1),
      server('close-id', -7),
      server('close-id', 77),
    ],
  },
  {
    name: 'all ids at once',
    about: ['B12'],
    steps: [
      server('register', 'f1', { label: 'x' }),
      server('register', 'f2'),
      server('close-all'),
      server('close-id', { label: 'x' }),
      server('register', 'f1'),
    ],
  },
  {
    name: 'the id of an open inode is closed: no further open until the last close',
    about: ['B11', 'O4b', 'O4d', 'O1', 'C1'],
    steps: [
      opened(call('open', 'a', 'f1', 'RDWR'), FRESH),
      server('close-id', 'kept', 'f1'),
      call('pread', 'a', 10, 0),
      call('pwrite', 'a', 'after', 0),
      opened(other('open', 'b', 'f1', 'RDONLY'), KEPT),
      opened(other('open', 'c', 'f1', 'RDONLY'), FRESH),
      opened(other('open', 'd', 'f1', 'RDONLY'), CACHED),
      call('close', 'a'),
      opened(other('open', 'e', 'f1', 'RDONLY'), FRESH),
      other('read', 'e', 10),
    ],
  },
  {
    name: 'an id is closed right after the open that it served',
    about: ['B11', 'O4f'],
    steps: [
      opened(call('open', 'a', 'f1', 'RDONLY'), FRESH),
      server('close-id', 'kept', 'f1'),
      call('read', 'a', 5),
      call('close', 'a'),
      opened(call('open', 'a', 'f1', 'RDONLY'), FRESH),
      call('read', 'a', 5),
    ],
  },
  {
    name: 'ids survive the server',
    about: ['B8', 'B10'],
    steps: [
      server('register', 'f1', { label: 'x' }),
      ...takeover(false),
      server('register', 'f1'),
      server('close-id', { label: 'x' }),
      server('close-id', { label: 'x' }),
    ],
  },
  {
    name: 'a file registered by O_PATH is written through',
    about: ['O4f'],
    steps: [
      server('register', 'f1', { label: 'x', path: true }),
      opened(call('open', 'a', 'f1', 'RDWR'), { flags: ['PASSTHROUGH'], backing: { label: 'x' } }),
      call('pwrite', 'a', 'written', 0),
      call('pread', 'a', 10, 0),
      server('backing-content', 'f1'),
    ],
  },
]
