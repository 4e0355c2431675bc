// What users may do: run on a plain directory and on the mount, with the same answers and the same outcome.
//   users.mjs prepare DIRECTORY          as root, in the file system itself: makes what is to be tried on
//   users.mjs act DIRECTORY              as some user: tries everything; prints the answers
//   users.mjs outcome DIRECTORY          as root, in the file system itself: prints what has become of it all
import fs from 'node:fs'
import * as sys from './system.mjs'

const { AT, O, attempt, cstring, mustOpen, named, open, xattr } = sys
const [, , verb, root] = process.argv

const owners = [
  [0, 0],
  [1000, 1000],
  [1001, 2000],
]
const modes = [0o000, 0o600, 0o640, 0o660, 0o644, 0o666, 0o4777, 0o2777, 0o6775, 0o2664, 0o711]

/** Directories by name: owner, group, mode. */
const directories = {
  plain: [0, 0, 0o755],
  open: [0, 0, 0o777],
  sticky: [0, 0, 0o1777],
  private: [1000, 1000, 0o700],
  group: [0, 2000, 0o770],
  setgid: [0, 2000, 0o2777],
  setgidOfOwn: [1000, 1000, 0o2777],
  blind: [1000, 1000, 0o733],
  listed: [1000, 1000, 0o744],
  inherits: [0, 0, 0o777],
  inheritsSetgid: [0, 2000, 0o2777],
}

const clock = 1_600_000_000n * 10n ** 9n
const withFd = (path, flags, action) => {
  const fd = mustOpen(path, flags)
  try {
    return named(action(fd))
  } finally {
    sys.close(fd)
  }
}

/** Tries on files, each with a file of its own. */
const onFiles = {
  read: (path) => withFd(path, O.RDONLY, (fd) => sys.pread(fd, Buffer.alloc(10), 0, 10, 0)),
  write: (path) => withFd(path, O.WRONLY, (fd) => sys.pwrite(fd, Buffer.from('w'), 0, 1, 0)),
  append: (path) => withFd(path, O.WRONLY | O.APPEND, (fd) => sys.write(fd, Buffer.from('a'))),
  empty: (path) => withFd(path, O.WRONLY | O.TRUNC, () => 0),
  emptyForReading: (path) => withFd(path, O.RDONLY | O.TRUNC, () => 0),
  noAtime: (path) => withFd(path, O.RDONLY | O.NOATIME, () => 0),
  allocate: (path) => withFd(path, O.RDWR, (fd) => sys.fallocate(fd, 0, 0, 5000)),
  copy: (path) => withFd(path, O.RDWR, (fd) => sys.copyFileRange(fd, 0, fd, 7, 7)),
  shorten: (path) => withFd(path, O.RDWR, (fd) => sys.ftruncate(fd, 1)),
  truncate: (path) => attempt(() => fs.truncateSync(path, 2)),
  create: (path) => withFd(path, O.RDWR | O.CREAT, () => 0),
  access: (path) => [4, 2, 1].map((mask) => named(sys.faccessat2(AT.FDCWD, cstring(path), mask, AT.EACCESS))),
  accessReal: (path) => [4, 2, 1].map((mask) => named(sys.faccessat2(AT.FDCWD, cstring(path), mask, 0))),
  chmod: (path) => attempt(() => fs.chmodSync(path, 0o640)),
  chmodSetId: (path) => attempt(() => fs.chmodSync(path, 0o6755)),
  chownSelf: (path) => attempt(() => fs.lchownSync(path, process.getuid(), process.getgid())),
  chownOther: (path) => attempt(() => fs.lchownSync(path, 1001, 1001)),
  chgrpShared: (path) => attempt(() => fs.lchownSync(path, -1 >>> 0, 2000)),
  times: (path) => sys.setTimes(path, clock, clock + 1n),
  timesNow: (path) => named(sys.utimensat(AT.FDCWD, cstring(path), null, 0)) === 0,
  getXattr: (path) => xattr.get(path, 'user.note'),
  setXattr: (path) => xattr.set(path, 'user.new', 'x'),
  removeXattr: (path) => xattr.remove(path, 'user.note'),
  listXattr: (path) => xattr.list(path),
  getTrusted: (path) => xattr.get(path, 'trusted.note'),
  setTrusted: (path) => xattr.set(path, 'trusted.new', 'x'),
  setCapability: (path) =>
    xattr.set(
      path,
      'security.capability',
      '\x01\x00\x00\x02\x00\x20\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00',
    ),
  setAcl: (path) =>
    xattr.set(
      path,
      'system.posix_acl_access',
      '\x02\0\0\0\x01\0\x06\0\xff\xff\xff\xff\x02\0\x06\0\xe9\x03\0\0\x04\0\x04\0\xff\xff\xff\xff\x10\0\x06\0\xff\xff\xff\xff\x20\0\0\0\xff\xff\xff\xff',
    ),
  link: (path) => attempt(() => fs.linkSync(path, `${path}.linked`)),
  rename: (path) => attempt(() => fs.renameSync(path, `${path}.renamed`)),
  unlink: (path) => attempt(() => fs.unlinkSync(path)),
}

/** Tries in directories, which hold `root`, `mine` and `theirs` to be tried on, and `sub`, with an entry. */
const inDirectories = {
  list: (path) => attempt(() => fs.readdirSync(path).sort()),
  stat: (path) => attempt(() => fs.statSync(`${path}/root`).size),
  read: (path) => attempt(() => fs.readFileSync(`${path}/root`, 'utf8')),
  make: (path) => attempt(() => fs.writeFileSync(`${path}/new`, 'x')),
  makeSetgid: (path) => withFdOf(`${path}/newgid`, 0o2775),
  makeSetuid: (path) => withFdOf(`${path}/newuid`, 0o4755),
  mkdir: (path) => attempt(() => fs.mkdirSync(`${path}/newdir`)),
  mkdirSetgid: (path) => named(sys.mkdirat(AT.FDCWD, cstring(`${path}/newgiddir`), 0o2775)),
  fifo: (path) => named(sys.mknodat(AT.FDCWD, cstring(`${path}/newfifo`), 0o012666, 0)),
  device: (path) => named(sys.mknodat(AT.FDCWD, cstring(`${path}/newdev`), 0o020666, sys.makeDevice(1, 3))),
  symlink: (path) => attempt(() => fs.symlinkSync('x', `${path}/newlink`)),
  temporary: (path) => {
    const fd = open(path, O.TMPFILE | O.RDWR, 0o2775)
    return fd < 0 ? named(fd) : [fs.fstatSync(fd).mode, fs.fstatSync(fd).uid, fs.fstatSync(fd).gid]
  },
  overwrite: (path) =>
    ['root', 'mine', 'theirs'].map((name) => attempt(() => fs.writeFileSync(`${path}/${name}`, '!'))),
  createExisting: (path) =>
    ['root', 'mine', 'theirs'].map((name) => {
      const fd = open(`${path}/${name}`, O.WRONLY | O.CREAT)
      return fd < 0 ? named(fd) : 'ok'
    }),
  linkHere: (path) =>
    ['root', 'mine', 'theirs'].map((name) =>
      attempt(() => fs.linkSync(`${path}/${name}`, `${path}/${name}.l`)),
    ),
  rename: (path) =>
    ['root', 'mine'].map((name) => attempt(() => fs.renameSync(`${path}/${name}`, `${path}/${name}.r`))),
  replace: (path) => attempt(() => fs.renameSync(`${path}/new`, `${path}/theirs`)),
  rmdir: (path) => attempt(() => fs.rmdirSync(`${path}/sub`)),
  unlink: (path) =>
    ['root.l', 'mine.r', 'theirs'].map((name) => attempt(() => fs.unlinkSync(`${path}/${name}`))),
  chmod: (path) => attempt(() => fs.chmodSync(path, 0o2777)),
  setAcl: (path) => xattr.set(path, 'system.posix_acl_default', acl),
}

const acl = '\x02\0\0\0\x01\0\x06\0\xff\xff\xff\xff\x04\0\x06\0\xff\xff\xff\xff\x20\0\x00\0\xff\xff\xff\xff'

function withFdOf(path, mode) {
  const fd = open(path, O.WRONLY | O.CREAT | O.EXCL, mode)
  if (fd < 0) return named(fd)
  sys.close(fd)
  return 'ok'
}

function make(path, [uid, gid], mode) {
  fs.writeFileSync(path, 'content')
  xattr.set(path, 'user.note', 'n')
  xattr.set(path, 'trusted.note', 't')
  fs.lchownSync(path, uid, gid)
  fs.chmodSync(path, mode)
}

function prepare() {
  fs.mkdirSync(`${root}/files`)
  fs.chmodSync(root, 0o755)
  for (const [uid, gid] of owners) {
    for (const mode of modes) {
      const directory = `${root}/files/${uid} ${mode.toString(8)}`
      fs.mkdirSync(directory)
      for (const name of Object.keys(onFiles)) make(`${directory}/${name}`, [uid, gid], mode)
      fs.chmodSync(directory, 0o777)
    }
  }
  // What an access control list says: 1001 may read and write, whatever the mode.
  const directory = `${root}/files/acl`
  fs.mkdirSync(directory)
  for (const name of Object.keys(onFiles)) {
    make(`${directory}/${name}`, [0, 0], 0o600)
    onFiles.setAcl(`${directory}/${name}`)
  }
  fs.chmodSync(directory, 0o777)
  for (const [name, [uid, gid, mode]] of Object.entries(directories)) {
    const path = `${root}/${name}`
    fs.mkdirSync(`${path}/sub`, { recursive: true })
    fs.writeFileSync(`${path}/sub/entry`, '')
    make(`${path}/root`, [0, 0], 0o644)
    make(`${path}/mine`, [1000, 1000], 0o644)
    make(`${path}/theirs`, [1001, 1001], 0o666)
    if (name.startsWith('inherits')) {
      xattr.set(
        path,
        'system.posix_acl_default',
        '\x02\0\0\0\x01\0\x07\0\xff\xff\xff\xff\x02\0\x07\0\xe8\x03\0\0\x04\0\x05\0\xff\xff\xff\xff\x10\0\x07\0\xff\xff\xff\xff\x20\0\0\0\xff\xff\xff\xff',
      )
    }
    fs.chownSync(path, uid, gid)
    fs.chmodSync(path, mode)
  }
}

function act() {
  process.umask(0o022)
  const answers = {}
  for (const directory of fs.readdirSync(`${root}/files`)) {
    for (const [name, action] of Object.entries(onFiles)) {
      answers[`${directory} ${name}`] = attempt(() => action(`${root}/files/${directory}/${name}`))
    }
  }
  for (const directory of Object.keys(directories)) {
    for (const [name, action] of Object.entries(inDirectories)) {
      answers[`${directory} ${name}`] = attempt(() => action(`${root}/${directory}`))
    }
  }
  return answers
}

function outcome() {
  const facts = {}
  const visit = (path) => {
    const { mode, uid, gid, size, nlink } = fs.lstatSync(path)
    const isDirectory = (mode & 0o170000) === 0o040000
    const xattrs = (mode & 0o170000) === 0o120000 ? [] : sys.allXattrs(path)
    facts[path.slice(root.length)] = [
      mode.toString(8),
      uid,
      gid,
      isDirectory ? 0 : size,
      nlink,
      JSON.stringify(xattrs),
    ].join(' ')
    if (isDirectory) for (const name of fs.readdirSync(path)) visit(`${path}/${name}`)
  }
  visit(root)
  return facts
}

if (verb === 'prepare') prepare()
else console.log(JSON.stringify(verb === 'act' ? act() : outcome()))
