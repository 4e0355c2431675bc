// What a directory does, as facts that do not depend on where it is: run on a plain directory and on the mount.
//   semantics.mjs DIRECTORY SCENARIO      prints JSON
import fs from 'node:fs'
import { createHash } from 'node:crypto'
import { execFileSync, spawnSync } from 'node:child_process'
import * as sys from './system.mjs'

const { AT, FALLOC, O, RENAME, SEEK, attempt, cstring, mustOpen, named, open } = sys
const [, , root, scenario] = process.argv
const mode = (path) => fs.lstatSync(path).mode.toString(8)
const lstat = (path) => fs.lstatSync(path, { bigint: true })
const sha = (path) => createHash('sha1').update(fs.readFileSync(path)).digest('hex')
const sh = (script) => {
  const { status, stdout, stderr } = spawnSync('sh', ['-c', script], { encoding: 'utf8', cwd: root })
  return { status, stdout, stderr }
}
const names = (directory) => fs.readdirSync(directory, 'latin1').sort()

/** Where data and holes begin, from the start to the end. */
function map(fd) {
  const marks = []
  for (let at = 0; ;) {
    const data = named(sys.lseek(fd, at, SEEK.DATA))
    const hole = typeof data === 'number' ? named(sys.lseek(fd, data, SEEK.HOLE)) : undefined
    marks.push([data, hole])
    if (typeof hole !== 'number') return marks
    at = hole
  }
}

const scenarios = {
  names() {
    const raw = [
      Buffer.from([0xff]),
      Buffer.from([0xc3, 0x28]),
      Buffer.from([0x80, 0x0a, 0x20, 0x5c]),
      Buffer.from('a b\t\n"\'*?'),
      Buffer.from('ünïcödé 🙂'),
      Buffer.from('...'),
      Buffer.from('-rf'),
      Buffer.alloc(255, 0xfe),
      Buffer.alloc(255, 'n'),
    ]
    const at = (name) => Buffer.concat([Buffer.from(`${root}/`), name])
    for (const name of raw) fs.writeFileSync(at(name), name)
    const listed = names(root)
    const read = raw.map((name) => fs.readFileSync(at(name)).equals(name))
    const tooLong = attempt(() => fs.writeFileSync(at(Buffer.alloc(256, 'n')), ''))
    const renamed = attempt(() => fs.renameSync(at(raw[7]), at(Buffer.alloc(255, 0xfd))))
    const link = attempt(() => fs.symlinkSync(raw[1], at(Buffer.from([0xfc]))))
    const target = fs.readlinkSync(at(Buffer.from([0xfc])), 'latin1')
    return { listed, read, tooLong, renamed, link, target, after: names(root) }
  },
  dots() {
    fs.mkdirSync(`${root}/a/b`, { recursive: true })
    fs.writeFileSync(`${root}/f`, 'f')
    const same = (path, other) => fs.statSync(path).ino === fs.statSync(other).ino
    const codes = [
      () => fs.rmdirSync(`${root}/a/.`),
      () => fs.rmdirSync(`${root}/a/..`),
      () => fs.mkdirSync(`${root}/.`),
      () => fs.mkdirSync(`${root}/a/..`),
      () => fs.renameSync(`${root}/a/.`, `${root}/c`),
      () => fs.unlinkSync(`${root}/a/b/..`),
      () => fs.renameSync(`${root}/a`, `${root}/a/b/c`),
      () => fs.renameSync(`${root}/f`, `${root}/a`),
      () => fs.renameSync(`${root}/a`, `${root}/f`),
      () => fs.rmdirSync(`${root}/a`),
      () => fs.rmdirSync(`${root}/f`),
      () => fs.unlinkSync(`${root}/a/b`),
      () => fs.readFileSync(`${root}/f/x`),
      () => fs.readdirSync(`${root}/f`),
      () => fs.readFileSync(`${root}/a`),
      () => fs.readFileSync(`${root}/f/`),
      () => fs.linkSync(`${root}/a`, `${root}/l`),
      () => fs.readFileSync(`${root}/nothing`),
    ].map(attempt)
    const inside = [
      same(`${root}/a/b/..`, `${root}/a`),
      same(`${root}/a/b/../..`, root),
      same(`${root}/.`, root),
    ]
    return { codes, inside, cwd: sh('cd a/b && cd .. && ls -a') }
  },
  hardLinks() {
    fs.writeFileSync(`${root}/one`, 'x')
    fs.mkdirSync(`${root}/d`)
    fs.linkSync(`${root}/one`, `${root}/two`)
    fs.linkSync(`${root}/two`, `${root}/d/three`)
    const all = ['one', 'two', 'd/three'].map((name) => lstat(`${root}/${name}`))
    fs.appendFileSync(`${root}/d/three`, 'y')
    const read = fs.readFileSync(`${root}/one`, 'utf8')
    fs.renameSync(`${root}/one`, `${root}/two`)
    const afterSame = names(root)
    fs.unlinkSync(`${root}/one`)
    fs.symlinkSync('nowhere', `${root}/s`)
    fs.linkSync(`${root}/s`, `${root}/s2`)
    return {
      oneInode: all.every(({ ino }) => ino === all[0].ino),
      links: all.map(({ nlink }) => Number(nlink)),
      read,
      afterSame,
      left: Number(lstat(`${root}/two`).nlink),
      symlink: [Number(lstat(`${root}/s`).nlink), fs.readlinkSync(`${root}/s2`)],
      again: attempt(() => fs.linkSync(`${root}/two`, `${root}/s`)),
    }
  },
  sparse() {
    const fd = mustOpen(`${root}/sparse`, O.RDWR | O.CREAT)
    for (const at of [0, 1 << 20, 10 << 20]) sys.pwrite(fd, Buffer.alloc(8192, 7), 0, 8192, at)
    sys.ftruncate(fd, 12 << 20)
    sys.fsync(fd)
    const { size, blocks } = lstat(`${root}/sparse`)
    const copied = sh('cp --sparse=always sparse copy && cmp sparse copy')
    return {
      map: map(fd),
      size: String(size),
      blocks: String(blocks),
      past: named(sys.lseek(fd, 13 << 20, SEEK.DATA)),
      hole: named(sys.lseek(fd, 100_000, SEEK.HOLE)),
      copied,
    }
  },
  huge() {
    const fiveGiB = 5 * 2 ** 30
    const fd = mustOpen(`${root}/huge`, O.RDWR | O.CREAT)
    const cut = named(sys.ftruncate(fd, fiveGiB))
    const word = Buffer.from('beyond four gibibytes')
    const writes = [2 ** 31 - 5, 2 ** 32 - 5, 2 ** 32 + 4096, fiveGiB - 5].map((at) =>
      sys.pwrite(fd, word, 0, word.length, at),
    )
    const back = Buffer.alloc(word.length)
    const reads = [2 ** 31 - 5, 2 ** 32 - 5, 2 ** 32 + 4096, fiveGiB - 5].map((at) => {
      sys.pread(fd, back, 0, back.length, at)
      return back.toString()
    })
    sys.fsync(fd)
    const tail = execFileSync('tail', ['-c', '20', `${root}/huge`], { encoding: 'latin1' })
    const { size } = lstat(`${root}/huge`)
    return {
      cut,
      writes,
      reads,
      tail,
      size: Number(size),
      seek: [named(sys.lseek(fd, 2 ** 32, SEEK.DATA)), named(sys.lseek(fd, 0, SEEK.END))],
      tooBig: named(sys.ftruncate(fd, 2n ** 62n)),
      tooFar: named(sys.pwrite(fd, word, 0, word.length, 2n ** 62n)),
      fallocateTooBig: named(sys.fallocate(fd, 0, 0, 2n ** 62n)),
    }
  },
  fallocate() {
    const path = `${root}/f`
    const fd = mustOpen(path, O.RDWR | O.CREAT)
    const say = (result) => [named(result), String(lstat(path).size), String(lstat(path).blocks)]
    const steps = []
    steps.push(say(sys.fallocate(fd, 0, 0, 1 << 20)))
    steps.push(say(sys.pwrite(fd, Buffer.alloc(1 << 20, 1), 0, 1 << 20, 0)))
    steps.push(say(sys.fsync(fd)))
    steps.push(say(sys.fallocate(fd, FALLOC.KEEP_SIZE, 1 << 20, 1 << 20)))
    steps.push(say(sys.fallocate(fd, FALLOC.PUNCH_HOLE | FALLOC.KEEP_SIZE, 4096, 65536)))
    steps.push(say(sys.fallocate(fd, FALLOC.ZERO_RANGE, 200_000, 5000)))
    const digest = sha(path)
    steps.push(map(fd))
    steps.push(say(sys.fallocate(fd, FALLOC.PUNCH_HOLE, 0, 4096)))
    steps.push(say(sys.fallocate(fd, 0, 0, 0)))
    const readOnly = mustOpen(path, O.RDONLY)
    steps.push(named(sys.fallocate(readOnly, 0, 0, 4096)))
    return { steps, digest }
  },
  copyRange() {
    const data = Buffer.from(Uint8Array.from({ length: 3_000_000 }, (_, at) => (at * 7 + (at >> 9)) & 255))
    fs.writeFileSync(`${root}/from`, data)
    const from = mustOpen(`${root}/from`, O.RDONLY)
    const to = mustOpen(`${root}/to`, O.RDWR | O.CREAT)
    let copied = 0
    while (copied < 2_900_000) {
      const count = sys.copyFileRange(from, 1000 + copied, to, 5 + copied, 2_900_000 - copied)
      if (count <= 0) return { failed: named(count) }
      copied += count
    }
    const right = fs.readFileSync(`${root}/to`).subarray(5).equals(data.subarray(1000, 2_901_000))
    return {
      copied,
      right,
      size: String(lstat(`${root}/to`).size),
      within: named(sys.copyFileRange(to, 0, to, 5, 1000)),
      pastTheEnd: named(sys.copyFileRange(from, 4_000_000, to, 0, 10)),
      cp: sh('cp --reflink=auto from third && cmp from third'),
    }
  },
  temporary() {
    const fd = mustOpen(root, O.TMPFILE | O.RDWR, 0o640)
    const wrote = sys.pwrite(fd, Buffer.from('unnamed'), 0, 7, 0)
    const before = [names(root), fs.fstatSync(fd).nlink, fs.fstatSync(fd).mode.toString(8)]
    const linked = named(sys.linkDescriptor(fd, AT.FDCWD, cstring(`${root}/named`)))
    const exclusive = mustOpen(root, O.TMPFILE | O.RDWR | O.EXCL, 0o600)
    const refused = named(sys.linkDescriptor(exclusive, AT.FDCWD, cstring(`${root}/never`)))
    sys.pwrite(fd, Buffer.from('!'), 0, 1, 7)
    return {
      wrote,
      before,
      linked,
      read: fs.readFileSync(`${root}/named`, 'utf8'),
      mode: mode(`${root}/named`),
      nlink: fs.fstatSync(fd).nlink,
      refused,
      after: names(root),
      nowhere: named(open(`${root}/named`, O.TMPFILE | O.RDWR)),
      readOnly: named(open(root, O.TMPFILE | O.RDONLY)),
    }
  },
  append() {
    const one = mustOpen(`${root}/log`, O.WRONLY | O.APPEND | O.CREAT)
    const two = mustOpen(`${root}/log`, O.RDWR | O.APPEND)
    for (let turn = 0; turn < 100; turn++) {
      sys.write(one, Buffer.from(`one ${turn}\n`))
      sys.write(two, Buffer.from(`two ${turn}\n`))
    }
    // pwrite(2) appends too on such a descriptor.
    sys.pwrite(two, Buffer.from('end\n'), 0, 4, 0)
    const others = sh(
      'for i in 1 2 3 4; do (for j in 1 2 3 4 5 6 7 8 9; do echo "$i $j" >> log; done) & done; wait',
    )
    return { others, lines: fs.readFileSync(`${root}/log`, 'utf8').split('\n').sort() }
  },
  direct() {
    const path = `${root}/direct`
    const fd = open(path, O.RDWR | O.CREAT | O.DIRECT)
    if (fd < 0) return named(fd)
    // A page-aligned buffer, as O_DIRECT wants it.
    const memory = sys.memfdCreate('aligned')
    sys.reserve(memory, 1 << 20)
    const buffer = new Uint8Array(sys.mapShared(memory, 1 << 20)).fill(5)
    const wrote = named(sys.pwrite(fd, buffer, 0, 1 << 20, 0))
    buffer.fill(0)
    const read = named(sys.pread(fd, buffer, 0, 1 << 19, 4096))
    const right = buffer[0] === 5 && buffer[(1 << 19) - 1] === 5
    const cached = fs.readFileSync(path)
    return { wrote, read, right, length: cached.length, same: cached.every((byte) => byte === 5) }
  },
  mapped() {
    const path = `${root}/mapped`
    const fd = mustOpen(path, O.RDWR | O.CREAT)
    sys.ftruncate(fd, 16384)
    const memory = new Uint8Array(sys.mapShared(fd, 16384))
    memory.set(Buffer.from('through memory'), 5000)
    const read = Buffer.alloc(14)
    sys.pread(fd, read, 0, 14, 5000)
    const other = mustOpen(path, O.RDWR)
    sys.pwrite(other, Buffer.from('through write'), 0, 13, 9000)
    const seen = Buffer.from(memory.subarray(9000, 9013)).toString()
    sys.close(fd)
    sys.close(other)
    memory[0] = 65
    const again = mustOpen(path, O.RDONLY)
    const first = Buffer.alloc(1)
    sys.pread(again, first, 0, 1, 0)
    sys.fsync(again)
    return {
      read: read.toString(),
      seen,
      first: first.toString(),
      digest: sha(path),
      run: sh('cp /bin/true t && ./t'),
    }
  },
  rename() {
    const at = (name) => cstring(`${root}/${name}`)
    const rename = (from, to, flags) => named(sys.renameat2(AT.FDCWD, at(from), AT.FDCWD, at(to), flags))
    for (const name of ['a', 'b', 'c']) fs.writeFileSync(`${root}/${name}`, name)
    fs.mkdirSync(`${root}/d`)
    fs.writeFileSync(`${root}/d/in`, 'in')
    const results = [
      rename('a', 'b', RENAME.NOREPLACE),
      rename('a', 'z', RENAME.NOREPLACE),
      rename('z', 'b', RENAME.EXCHANGE),
      rename('b', 'd', RENAME.EXCHANGE),
      rename('b', 'nothing', RENAME.EXCHANGE),
      rename('nothing', 'b', 0),
      rename('z', 'c', RENAME.NOREPLACE | RENAME.EXCHANGE),
      rename('z', 'c', 0),
    ]
    fs.mkdirSync(`${root}/e`)
    results.push(rename('e', 'b', 0), rename('b', 'e', 0), rename('e/in', 'f', 0), rename('f', 'e/g', 0))
    const open_ = mustOpen(`${root}/e/g`, O.RDONLY)
    results.push(rename('c', 'e/g', 0))
    const kept = Buffer.alloc(10)
    const length = sys.pread(open_, kept, 0, 10, 0)
    return {
      results,
      names: names(root),
      inside: names(`${root}/e`),
      contents: ['d', 'e/g'].map((name) => attempt(() => fs.readFileSync(`${root}/${name}`, 'utf8'))),
      kept: kept.subarray(0, length).toString(),
      whiteout: rename('d', 'w', RENAME.WHITEOUT),
      left: attempt(() => [mode(`${root}/d`), fs.lstatSync(`${root}/d`).rdev]),
    }
  },
  special() {
    const make = (name, kind, device) =>
      named(sys.mknodat(AT.FDCWD, cstring(`${root}/${name}`), kind, device ?? 0))
    const results = [
      make('fifo', 0o010644),
      make('socket', 0o140755),
      make('null', 0o020666, sys.makeDevice(1, 3)),
      make('wide', 0o060600, sys.makeDevice(259, 70000)),
      make('plain', 0o100640),
      make('fifo', 0o010644),
    ]
    const facts = ['fifo', 'socket', 'null', 'wide', 'plain'].map((name) => {
      const { mode: bits, rdev, size } = lstat(`${root}/${name}`)
      return [name, String(bits), String(rdev), String(size)]
    })
    return {
      results,
      facts,
      pipe: sh('(echo through > fifo &) ; cat fifo'),
      truncated: sh(': > null; echo gone > null; cat null; wc -c < null'),
      socket: sh('cat socket'),
      left: names(root),
    }
  },
  sockets() {
    // The path of a socket is at most 107 bytes long.
    process.chdir(root)
    const server = sys.unixSocket()
    const bound = named(sys.bindUnix(server, cstring('s')))
    const listening = named(sys.listen(server, 1))
    const client = sys.unixSocket()
    const connected = named(sys.connectUnix(client, cstring('s')))
    return { bound, listening, connected, mode: mode('s') }
  },
  xattrs() {
    const { xattr } = sys
    const path = `${root}/f`
    fs.writeFileSync(path, '')
    fs.symlinkSync('f', `${root}/l`)
    return [
      xattr.get(path, 'user.a'),
      xattr.set(path, 'user.a', 'one', 1),
      xattr.set(path, 'user.a', 'two', 1),
      xattr.set(path, 'user.b', 'two', 2),
      xattr.set(path, 'user.a', 'three', 2),
      xattr.set(path, 'user.empty', ''),
      xattr.set(path, 'user.\xff\x01', '\0\xff'),
      xattr.set(path, 'user.big', 'z'.repeat(3000)),
      xattr.set(path, 'user.toobig', 'z'.repeat(60000)),
      xattr.set(path, 'trusted.t', 'root only'),
      xattr.set(path, 'bogus.t', 'x'),
      xattr.set(path, 'user.' + 'n'.repeat(250), 'x'),
      xattr.set(path, 'user.' + 'n'.repeat(251), 'x'),
      sys.allXattrs(path),
      xattr.remove(path, 'user.a'),
      xattr.remove(path, 'user.a'),
      xattr.list(path).length,
      xattr.set(`${root}/l`, 'user.a', 'x'),
      xattr.set(`${root}/l`, 'trusted.a', 'x'),
      sys.allXattrs(`${root}/l`),
      xattr.set(root, 'user.onroot', 'r'),
      xattr.get(root, 'user.onroot'),
      (() => {
        const fd = mustOpen(path, O.RDONLY)
        return named(sys.getxattr(fd, cstring('user.big'), Buffer.alloc(10)))
      })(),
      attempt(() => sh('setcap cap_net_raw+ep f && getcap f && echo changed >> f && getcap f')),
    ]
  },
  acl() {
    return [
      sh('umask 027; mkdir plain; touch plain/f; mkdir plain/d; stat -c "%n %a" plain plain/*'),
      sh('umask 000; mkdir open; touch open/f; mkdir open/d; stat -c "%n %a" open open/*'),
      sh('mkdir inherit; setfacl -d -m u::rwx,g::r-x,o::---,u:1000:rwx,m::rwx inherit; getfacl -cpn inherit'),
      sh(
        'umask 077; cd inherit; touch f; mkdir d; mkfifo p; ln -s f l; cp /bin/true t; getfacl -cpn f d p t',
      ),
      sh('cd inherit; stat -c "%n %a %F" *; getfacl -cpn d'),
      sh(
        'touch a; chmod 640 a; setfacl -m u:1001:rw-,g:1000:r-- a; getfacl -cpn a; stat -c %a a; ls -l a | cut -c1-11',
      ),
      sh('chmod 600 a; getfacl -cpn a; chmod g+rw a; getfacl -cpn a'),
      sh('setfacl -x u:1001 a; setfacl -b a; getfacl -cpn a; stat -c %a a'),
      sh('setfacl -m d:u:1000:r a; setfacl -k inherit; getfacl -cpn inherit'),
      sh('setfacl -m u:1000:rwx a; cp -a a b; getfacl -cpn b; mv b inherit/; getfacl -cpn inherit/b'),
    ]
  },
  statfs() {
    fs.mkdirSync(`${root}/d`)
    return [sys.statfsWords(`${root}/d`)?.slice(7)]
  },
  times() {
    const path = `${root}/f`
    fs.writeFileSync(path, 'x')
    const at = () => [String(lstat(path).atimeNs), String(lstat(path).mtimeNs)]
    const steps = []
    for (const [atime, mtime] of [
      [0n, 0n],
      [-1n, -1_000_000_001n],
      [-2_000_000_000_123_456_789n, 1_234_567_890_987_654_321n],
      [undefined, 5n],
      [7n, undefined],
      [15_000_000_000n * 10n ** 9n + 1n, 10n ** 30n / 10n ** 20n],
      [2n ** 34n * 10n ** 9n, -(2n ** 34n) * 10n ** 9n],
    ]) {
      steps.push([sys.setTimes(path, atime, mtime), ...at()])
    }
    sys.setTimes(path, 1n, 1n)
    const before = lstat(path)
    fs.appendFileSync(path, 'y')
    const appended = lstat(path)
    sys.setTimes(path, 1n, 1n)
    fs.readFileSync(path)
    const read = lstat(path)
    fs.chmodSync(path, 0o600)
    const changed = lstat(path)
    sys.utimensat(AT.FDCWD, cstring(path), null, 0)
    const now = Date.now() - Number(lstat(path).mtimeMs)
    fs.symlinkSync('f', `${root}/l`)
    const link = [sys.setTimes(`${root}/l`, 3n, 4n), String(lstat(`${root}/l`).mtimeNs)]
    sys.setTimes(root, 5n, 6n)
    const directory = String(lstat(root).mtimeNs)
    fs.writeFileSync(`${root}/new`, '')
    return {
      steps,
      // A write changes mtime and ctime, a chmod ctime only.
      written: [appended.mtimeNs > before.mtimeNs, appended.ctimeNs >= before.ctimeNs, String(appended.size)],
      read: [String(read.mtimeNs), read.atimeNs > 1n],
      changed: [String(changed.mtimeNs), changed.ctimeNs >= read.ctimeNs],
      now: now >= -50 && now < 20_000,
      link,
      directory: [directory, lstat(root).mtimeNs > 6n],
    }
  },
  birth() {
    const path = `${root}/f`
    fs.writeFileSync(path, 'x')
    const birth = () => lstat(path).birthtimeNs
    const born = birth()
    sys.setTimes(path, 1n, 1n)
    fs.appendFileSync(path, 'y')
    const view = sys.statxOf(path)
    const { mask, blksize } = { mask: view.getUint32(0, true), blksize: view.getUint32(4, true) }
    return {
      stays: birth() === born,
      recent: Math.abs(Number(born / 10n ** 6n) - Date.now()) < 60_000,
      mask,
      blksize,
    }
  },
  modes() {
    const path = `${root}/f`
    fs.writeFileSync(path, 'x')
    const steps = []
    for (const bits of [0o000, 0o777, 0o4755, 0o2755, 0o2644, 0o6777, 0o1666]) {
      steps.push([attempt(() => fs.chmodSync(path, bits)), mode(path)])
    }
    for (const [bits, uid, gid] of [
      [0o6755, 1000, 1000],
      [0o6755, 1000, 1000],
      [0o2644, 0, 0],
      [0o6777, -1, 1001],
      [0o6777, 1001, -1],
      [0o6755, 4294967294, 100000],
    ]) {
      fs.chmodSync(path, bits)
      steps.push([bits.toString(8), attempt(() => fs.lchownSync(path, uid >>> 0, gid >>> 0)), mode(path)])
      steps.push([String(lstat(path).uid), String(lstat(path).gid)])
    }
    fs.chmodSync(path, 0o6777)
    fs.truncateSync(path, 0)
    steps.push(['root truncates', mode(path)])
    fs.symlinkSync('f', `${root}/l`)
    fs.lchownSync(`${root}/l`, 1000, 1000)
    steps.push([mode(`${root}/l`), String(lstat(`${root}/l`).uid), String(lstat(path).uid)])
    fs.mkdirSync(`${root}/d`, 0o2775)
    fs.chmodSync(`${root}/d`, 0o2775)
    fs.chownSync(`${root}/d`, 0, 1000)
    steps.push([mode(`${root}/d`)])
    fs.writeFileSync(`${root}/d/f`, '')
    fs.mkdirSync(`${root}/d/d`)
    steps.push([String(lstat(`${root}/d/f`).gid), mode(`${root}/d/d`), String(lstat(`${root}/d/d`).gid)])
    return steps
  },
  umask() {
    return [0o000, 0o022, 0o077, 0o777].map((mask) => {
      const before = process.umask(mask)
      const prefix = `${root}/${mask.toString(8)}`
      fs.writeFileSync(`${prefix}f`, '', { mode: 0o666 })
      fs.mkdirSync(`${prefix}d`, 0o777)
      sys.mknodat(AT.FDCWD, cstring(`${prefix}p`), 0o010666, 0)
      fs.symlinkSync('x', `${prefix}l`)
      process.umask(before)
      return ['f', 'd', 'p', 'l'].map((suffix) => mode(prefix + suffix))
    })
  },
  openUnlinked() {
    const path = `${root}/f`
    const fd = mustOpen(path, O.RDWR | O.CREAT)
    sys.pwrite(fd, Buffer.from('before'), 0, 6, 0)
    fs.unlinkSync(path)
    const buffer = Buffer.alloc(20)
    const wrote = sys.pwrite(fd, Buffer.from(' after'), 0, 6, 6)
    const length = sys.pread(fd, buffer, 0, 20, 0)
    const { nlink, size } = fs.fstatSync(fd)
    const changes = [
      attempt(() => fs.fchmodSync(fd, 0o600)),
      attempt(() => fs.ftruncateSync(fd, 3)),
      attempt(() => fs.futimesSync(fd, 1, 2)),
      attempt(() => fs.fchownSync(fd, 1000, 1000)),
      named(sys.setxattr(fd, cstring('user.x'), Buffer.from('y'))),
      named(sys.fsync(fd)),
    ]
    fs.writeFileSync(path, 'another')
    const after = fs.fstatSync(fd)
    const again = attempt(() => fs.readFileSync(`/proc/self/fd/${fd}`, 'utf8'))
    fs.mkdirSync(`${root}/d`)
    process.chdir(`${root}/d`)
    fs.rmdirSync(`${root}/d`)
    const inside = [
      attempt(() => fs.writeFileSync('x', '')),
      attempt(() => fs.readdirSync('.')),
      fs.statSync('.').nlink,
    ]
    return {
      wrote,
      text: buffer.subarray(0, length).toString(),
      stat: [nlink, size],
      changes,
      after: [after.nlink, after.size, after.mode.toString(8), after.uid, after.mtimeMs],
      again,
      another: fs.readFileSync(path, 'utf8'),
      inside,
    }
  },
  opening() {
    const path = `${root}/f`
    const steps = [
      named(open(path, O.RDONLY)),
      named(open(`${root}/nodir/f`, O.RDWR | O.CREAT)),
      named(open(path, O.RDWR | O.CREAT | O.EXCL)) >= 0,
      named(open(path, O.RDWR | O.CREAT | O.EXCL)),
      named(open(path, O.RDWR | O.DIRECTORY)),
      named(open(root, O.RDWR)),
    ]
    fs.writeFileSync(path, 'contents')
    const holder = mustOpen(path, O.RDONLY)
    const truncated = mustOpen(path, O.RDWR | O.TRUNC)
    steps.push(fs.fstatSync(holder).size, fs.fstatSync(truncated).size)
    fs.symlinkSync('f', `${root}/l`)
    fs.symlinkSync('dangling', `${root}/m`)
    fs.symlinkSync('loop', `${root}/loop`)
    steps.push(
      named(open(`${root}/l`, O.RDONLY | O.NOFOLLOW)),
      named(open(`${root}/loop`, O.RDONLY)),
      named(open(`${root}/m`, O.RDWR | O.CREAT | O.EXCL)),
      named(open(`${root}/m`, O.RDWR | O.CREAT)) >= 0,
      names(root),
    )
    const readOnly = mustOpen(path, O.RDONLY)
    const writeOnly = mustOpen(path, O.WRONLY)
    steps.push(
      named(sys.pwrite(readOnly, Buffer.from('x'), 0, 1, 0)),
      named(sys.pread(writeOnly, Buffer.alloc(1), 0, 1, 0)),
      named(sys.ftruncate(readOnly, 0)),
      named(sys.ftruncate(writeOnly, 3)),
      named(sys.flock(readOnly, sys.LOCK.EX | sys.LOCK.NB)),
      named(sys.flock(writeOnly, sys.LOCK.EX | sys.LOCK.NB)),
    )
    return steps
  },
  symlinks() {
    const targets = ['x', '/', 'a/b/../c', 'y'.repeat(4095), '\xff\xfe'].map((text) =>
      Buffer.from(text, 'latin1'),
    )
    return targets.map((target, index) => {
      const path = `${root}/l${index}`
      return [
        attempt(() => fs.symlinkSync(target, path)),
        fs.readlinkSync(path, 'buffer').equals(target),
        String(lstat(path).size),
        mode(path),
      ]
    })
  },
  listing() {
    const count = 10_000
    for (let index = 0; index < count; index++)
      sys.close(mustOpen(`${root}/entry ${index}`, O.CREAT | O.WRONLY))
    const all = names(root)
    // Every second entry goes while the directory is being read: the others are seen, each once.
    const directory = fs.opendirSync(root, { bufferSize: 32 })
    const seen = new Map()
    for (let entry = directory.readSync(); entry !== null; entry = directory.readSync()) {
      seen.set(entry.name, (seen.get(entry.name) ?? 0) + 1)
      const number = Number(entry.name.split(' ')[1])
      if (number % 2 === 1) fs.unlinkSync(`${root}/${entry.name}`)
    }
    directory.closeSync()
    const twice = [...seen.values()].filter((times) => times > 1).length
    const even = [...seen.keys()].filter((name) => Number(name.split(' ')[1]) % 2 === 0).length
    const left = names(root).length
    // A directory that is open shows what is new after a rewind.
    const held = mustOpen(root, O.RDONLY | O.DIRECTORY)
    const read = () => {
      const buffer = new Uint8Array(65536)
      let found = 0
      for (;;) {
        const length = sys.getdents64(held, buffer)
        if (length <= 0) return found
        for (const { name } of sys.dirents(buffer, length))
          if (Buffer.from(name).toString().startsWith('late')) found++
      }
    }
    const late = [read()]
    fs.writeFileSync(`${root}/late`, '')
    sys.lseek(held, 0, SEEK.SET)
    late.push(read())
    return {
      all: all.length,
      twice,
      even,
      left,
      late,
      removed: sh('find . -mindepth 1 -delete; ls -A | wc -l'),
    }
  },
}

console.log(
  JSON.stringify(await scenarios[scenario](), (_, value) =>
    typeof value === 'bigint' ? String(value) : value,
  ),
)
