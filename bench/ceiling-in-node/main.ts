/**
 * main.js SOURCE MOUNTPOINT: the ceiling once more (bench/ceiling/), in JavaScript on evermount's system calls: the least that a
 * server on Node.js can cost. Only what the uncached operations need, with all timeouts 0. One thread that never lets its event
 * loop turn, no journal, a descriptor for each object. Serves in the foreground until it is unmounted.
 */
import { performance } from 'node:perf_hooks'
import { native, type CString } from './native.js'

const { AT, O, SEEK, attach, backingClose, backingOpen, close, cstring, getdents64, lseek, mkdirat } = native
const { openat, pollInput, read, renameat2, setNonBlocking, statx, statxDescriptor, truncateDescriptor } =
  native
const { umask, unlinkat, write } = native

const [source = '', mountPoint = ''] = process.argv.slice(2)
/** As the ceiling's: a busy client's next request comes sooner than a wait would take. */
const SPIN_MS = 0.03

/** errno.h */
const ENOENT = 2
const EINTR = 4
const EAGAIN = 11
const ENOSYS = 38

/** fuse.h: opcodes, and where fields lie from the start of a request or an answer. */
const Op = {
  LOOKUP: 1,
  FORGET: 2,
  GETATTR: 3,
  MKDIR: 9,
  UNLINK: 10,
  RMDIR: 11,
  RENAME: 12,
  OPEN: 14,
  RELEASE: 18,
  INIT: 26,
  OPENDIR: 27,
  READDIR: 28,
  RELEASEDIR: 29,
  CREATE: 35,
  INTERRUPT: 36,
  DESTROY: 38,
  BATCH_FORGET: 42,
  RENAME2: 45,
} as const
const IN_HEADER = 40
const OUT_HEADER = 16
const ATTR = 88
const ENTRY = 40 + ATTR
const OPEN_OUT = 16
const INIT_OUT = 64
const ROOT_ID = 1
const FOPEN = { KEEP_CACHE: 1 << 1, CACHE_DIR: 1 << 3, NOFLUSH: 1 << 5, PASSTHROUGH: 1 << 7 } as const
/** ASYNC_READ, ATOMIC_O_TRUNC, DONT_MASK, AUTO_INVAL_DATA, PARALLEL_DIROPS, MAX_PAGES, CACHE_SYMLINKS, HANDLE_KILLPRIV_V2, INIT_EXT */
const INIT_FLAGS =
  (1 | (1 << 3) | (1 << 6) | (1 << 12) | (1 << 18) | (1 << 22) | (1 << 23) | (1 << 28) | (1 << 30)) >>> 0
const INIT_PASSTHROUGH_HIGH = 1 << 5
const STATX_BASIC_STATS = 0x7ff

const request = new Uint8Array((1 << 20) + 8192)
const asked = new DataView(request.buffer)
const reply = new Uint8Array((1 << 20) + OUT_HEADER)
const answer = new DataView(reply.buffer)
const attributes = new Uint8Array(256)
const found = new DataView(attributes.buffer)
const entries = new Uint8Array(1 << 20)
const listed = new DataView(entries.buffer)

/** By node id less one. */
const descriptors: number[] = []
const lookups: number[] = []
const registrations: number[] = []
const inodes: number[] = []
const unused: number[] = []
const nodes = new Map<number, number>()
/** Where an open directory is, by descriptor. */
const positions = new Map<number, number>()
/** Change times of directories when the kernel was last told to keep their entries, and how often each is open; by node id less one. */
const listedSeconds: number[] = []
const listedNanoseconds: number[] = []
const openCounts: number[] = []
/** Two changes within a tick of the clock have the same time. */
const TICK_MS = 100
let device = -1
const DOT = cstring('.')

function word(at: number): number {
  return asked.getUint32(at, true)
}

function put(at: number, value: number): void {
  answer.setUint32(at, value, true)
}

function nameAt(at: number): CString {
  return request.subarray(at, request.indexOf(0, at) + 1) as CString
}

function send(error: number, length: number): void {
  put(0, OUT_HEADER + length)
  answer.setInt32(4, error, true)
  put(8, word(8))
  put(12, word(12))
  // Refused when the caller has gone meanwhile: nobody to tell.
  write(device, reply, 0, OUT_HEADER + length)
}

/** struct fuse_attr from struct statx. */
function putAttributes(at: number): void {
  for (const [to, from] of [
    [0, 32],
    [8, 40],
    [16, 48],
    [24, 64],
    [32, 112],
    [40, 96],
  ] as const) {
    put(at + to, found.getUint32(from, true))
    put(at + to + 4, found.getUint32(from + 4, true))
  }
  put(at + 48, found.getUint32(72, true))
  put(at + 52, found.getUint32(120, true))
  put(at + 56, found.getUint32(104, true))
  put(at + 60, found.getUint16(28, true))
  put(at + 64, found.getUint32(16, true))
  put(at + 68, found.getUint32(20, true))
  put(at + 72, found.getUint32(24, true))
  put(at + 76, 0)
  put(at + 80, found.getUint32(4, true))
  put(at + 84, 0)
}

/** struct fuse_entry_out. */
function putEntry(node: number): void {
  reply.fill(0, OUT_HEADER, OUT_HEADER + 40)
  put(OUT_HEADER, node)
  putAttributes(OUT_HEADER + 40)
}

function putOpened(at: number, backing: number): void {
  reply.fill(0, at, at + OPEN_OUT)
  put(at + 8, FOPEN.PASSTHROUGH | FOPEN.NOFLUSH)
  put(at + 12, backing)
}

/** The node of what is under a name, its lookup counted; or -errno. */
function find(directory: number, name: CString): number {
  const result = statx(directory, name, AT.SYMLINK_NOFOLLOW | AT.NO_AUTOMOUNT, STATX_BASIC_STATS, attributes)
  if (result < 0) return result
  const inode = found.getUint32(32, true) + found.getUint32(36, true) * 2 ** 32
  let node = nodes.get(inode)
  if (node === undefined) {
    const fd = openat(directory, name, O.PATH | O.NOFOLLOW | O.CLOEXEC)
    if (fd < 0) return fd
    node = unused.pop() ?? descriptors.length + 1
    descriptors[node - 1] = fd
    lookups[node - 1] = registrations[node - 1] = 0
    listedSeconds[node - 1] = openCounts[node - 1] = 0
    inodes[node - 1] = inode
    nodes.set(inode, node)
  }
  lookups[node - 1]!++
  return node
}

function forget(node: number, count: number): void {
  if (node === ROOT_ID || (lookups[node - 1]! -= count) > 0) return
  nodes.delete(inodes[node - 1]!)
  if (registrations[node - 1]! > 0) backingClose(device, registrations[node - 1]!)
  close(descriptors[node - 1]!)
  unused.push(node)
}

/** The backing id of a file, registered when it is first asked for; or -errno. */
function registration(node: number): number {
  const known = registrations[node - 1]!
  return known > 0 ? known : (registrations[node - 1] = backingOpen(device, descriptors[node - 1]!))
}

/** What the kernel may do with the entries of a directory that is opened, of which `found` is the stat. */
function listingFlags(node: number): number {
  const seconds = found.getUint32(96, true)
  const nanoseconds = found.getUint32(104, true)
  if (listedSeconds[node - 1] === seconds && listedNanoseconds[node - 1] === nanoseconds) {
    return FOPEN.CACHE_DIR | FOPEN.KEEP_CACHE
  }
  if (openCounts[node - 1]! > 0 || Date.now() - (seconds * 1000 + nanoseconds / 1e6) <= TICK_MS) return 0
  listedSeconds[node - 1] = seconds
  listedNanoseconds[node - 1] = nanoseconds
  return FOPEN.CACHE_DIR
}

let lastMask = -1
function actWithUmask(mask: number): void {
  if (mask !== lastMask) umask(mask)
  lastMask = mask
}

/** Entries of getdents64 as FUSE's, which take more room by a third at most. */
function list(fd: number, offset: number, size: number): number {
  if (offset !== positions.get(fd)) lseek(fd, offset, SEEK.SET)
  const length = getdents64(fd, entries.subarray(0, Math.min(entries.length, Math.floor(size * 0.75))))
  if (length < 0) return length
  let to = OUT_HEADER
  for (let at = 0; at < length; at += listed.getUint16(at + 16, true)) {
    const end = entries.indexOf(0, at + 19)
    // The inode number and the offset of the next.
    for (let half = 0; half < 16; half += 4) put(to + half, listed.getUint32(at + half, true))
    put(to + 16, end - at - 19)
    put(to + 20, entries[at + 18]!)
    for (let from = at + 19; from < end; from++) reply[to + 5 + from - at] = entries[from]!
    to += (end - at + 5 + 7) & ~7
    positions.set(fd, listed.getUint32(at + 8, true) + listed.getUint32(at + 12, true) * 2 ** 32)
  }
  return to - OUT_HEADER
}

/** Bytes of the answer's body, or -errno. */
type Handler = (node: number, fd: number) => number

function answerEntry(node: number): number {
  if (node < 0) return node
  putEntry(node)
  return ENTRY
}

const done = (result: number): number => Math.min(result, 0)

function rename(fd: number, structure: number, flags: number): number {
  const name = nameAt(IN_HEADER + structure)
  const newName = nameAt(IN_HEADER + structure + name.length)
  return done(renameat2(fd, name, descriptors[word(IN_HEADER) - 1]!, newName, flags))
}

const handlers: Readonly<Record<number, Handler>> = {
  [Op.LOOKUP]: (_, fd) => answerEntry(find(fd, nameAt(IN_HEADER))),
  [Op.GETATTR]: (_, fd) => {
    const result = statxDescriptor(fd, STATX_BASIC_STATS, attributes)
    if (result < 0) return result
    reply.fill(0, OUT_HEADER, OUT_HEADER + 16)
    putAttributes(OUT_HEADER + 16)
    return 16 + ATTR
  },
  [Op.MKDIR]: (_, fd) => {
    const name = nameAt(IN_HEADER + 8)
    actWithUmask(word(IN_HEADER + 4))
    const result = mkdirat(fd, name, word(IN_HEADER))
    return result < 0 ? result : answerEntry(find(fd, name))
  },
  [Op.UNLINK]: (_, fd) => done(unlinkat(fd, nameAt(IN_HEADER))),
  [Op.RMDIR]: (_, fd) => done(unlinkat(fd, nameAt(IN_HEADER), AT.REMOVEDIR)),
  [Op.RENAME]: (_, fd) => rename(fd, 8, 0),
  [Op.RENAME2]: (_, fd) => rename(fd, 16, word(IN_HEADER + 8)),
  [Op.OPEN]: (node) => {
    const backing = registration(node)
    if (backing < 0) return backing
    if ((word(IN_HEADER) & O.TRUNC) !== 0) {
      const result = truncateDescriptor(descriptors[node - 1]!, 0)
      if (result < 0) return result
    }
    putOpened(OUT_HEADER, backing)
    return OPEN_OUT
  },
  [Op.CREATE]: (_, fd) => {
    const name = nameAt(IN_HEADER + 16)
    const flags = O.WRONLY | O.CREAT | O.CLOEXEC | O.NOFOLLOW | (word(IN_HEADER) & (O.EXCL | O.TRUNC))
    actWithUmask(word(IN_HEADER + 8))
    const file = openat(fd, name, flags, word(IN_HEADER + 4) & 0o7777)
    if (file < 0) return file
    close(file)
    const node = find(fd, name)
    if (node < 0) return node
    const backing = registration(node)
    if (backing < 0) {
      forget(node, 1)
      return backing
    }
    putEntry(node)
    putOpened(OUT_HEADER + ENTRY, backing)
    return ENTRY + OPEN_OUT
  },
  [Op.RELEASE]: () => 0,
  [Op.OPENDIR]: (node, fd) => {
    const directory = openat(fd, DOT, O.RDONLY | O.DIRECTORY | O.CLOEXEC)
    if (directory < 0) return directory
    const result = statxDescriptor(fd, STATX_BASIC_STATS, attributes)
    if (result < 0) {
      close(directory)
      return result
    }
    reply.fill(0, OUT_HEADER, OUT_HEADER + OPEN_OUT)
    put(OUT_HEADER, directory)
    put(OUT_HEADER + 8, listingFlags(node))
    positions.set(directory, 0)
    openCounts[node - 1]!++
    return OPEN_OUT
  },
  [Op.READDIR]: () =>
    list(word(IN_HEADER), word(IN_HEADER + 8) + word(IN_HEADER + 12) * 2 ** 32, word(IN_HEADER + 16)),
  [Op.RELEASEDIR]: (node) => {
    const directory = word(IN_HEADER)
    positions.delete(directory)
    openCounts[node - 1]!--
    return done(close(directory))
  },
  [Op.DESTROY]: () => 0,
  [Op.INIT]: () => {
    if ((word(IN_HEADER + 16) & INIT_PASSTHROUGH_HIGH) === 0)
      throw new Error('this kernel has no passthrough')
    reply.fill(0, OUT_HEADER, OUT_HEADER + INIT_OUT)
    put(OUT_HEADER, 7)
    put(OUT_HEADER + 4, 40)
    put(OUT_HEADER + 8, word(IN_HEADER + 8))
    put(OUT_HEADER + 12, INIT_FLAGS & word(IN_HEADER + 12))
    // max_write, time_gran, max_pages, flags2, max_stack_depth
    put(OUT_HEADER + 20, 1 << 20)
    put(OUT_HEADER + 24, 1)
    answer.setUint16(OUT_HEADER + 28, 256, true)
    put(OUT_HEADER + 32, INIT_PASSTHROUGH_HIGH)
    put(OUT_HEADER + 36, 2)
    return INIT_OUT
  },
}

function serve(): void {
  const opcode = word(4)
  const node = word(16)
  if (opcode === Op.FORGET) forget(node, word(IN_HEADER))
  else if (opcode === Op.BATCH_FORGET) {
    for (let left = word(IN_HEADER), at = IN_HEADER + 8; left > 0; left--, at += 16)
      forget(word(at), word(at + 8))
  } else if (opcode !== Op.INTERRUPT) {
    const handler = handlers[opcode]
    const result = handler === undefined ? -ENOSYS : handler(node, descriptors[node - 1]!)
    send(done(result), Math.max(result, 0))
  }
}

listedSeconds[0] = openCounts[0] = 0
descriptors[0] = openat(AT.FDCWD, cstring(source), O.PATH | O.DIRECTORY | O.CLOEXEC)
device = (await attach(mountPoint, { allowOther: true, defaultPermissions: true })).fd
setNonBlocking(device)
let idleSince = performance.now()
for (;;) {
  const length = read(device, request)
  if (length > 0) {
    serve()
    idleSince = performance.now()
  } else if (length === -EAGAIN) {
    if (performance.now() - idleSince <= SPIN_MS) continue
    pollInput(device, -1)
    idleSince = performance.now()
  } else if (length !== -ENOENT && length !== -EINTR) break
}
