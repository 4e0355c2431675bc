// A tree with a little of everything, and the comparison of two trees.
//   tree.mjs make DIRECTORY FILES        fills a directory; prints how many objects it made
//   tree.mjs compare A B same|copy       prints what differs, as JSON
// `same`: one directory seen in two ways, so that every attribute agrees. `copy`: what rsync and tar carry over.
import fs from 'node:fs'
import { createHash } from 'node:crypto'
import { allXattrs, setTimes, xattr } from './system.mjs'

const [, , verb, ...args] = process.argv
const join = (directory, name) => Buffer.concat([directory, Buffer.from('/'), Buffer.from(name)])

/** A generator of numbers that are the same in each run (mulberry32). */
function numbers(seed) {
  return (below) => {
    seed = (seed + 0x6d2b79f5) | 0
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) % below
  }
}

function make(root, count) {
  const random = numbers(1)
  const noise = Buffer.from(Uint8Array.from({ length: 1 << 20 }, () => random(256)))
  const directories = [Buffer.from(root)]
  const files = []
  const size = () => [0, 0, 1, random(4096), random(4096), random(30000), 4096, 4097][random(8)]
  for (let index = 0; index < count; index++) {
    const parent = directories[random(directories.length)]
    const kind = random(100)
    const name =
      kind === 99
        ? Buffer.from([0xff, 0xfe, 0x80 + (index % 64), ...Buffer.from(String(index))])
        : `f${index}`
    const path = join(parent, name)
    if (kind < 4) {
      fs.mkdirSync(path)
      directories.push(path)
    } else if (kind < 10) fs.symlinkSync(['f1', '../..', '/nowhere/at all', 'x'.repeat(300)][random(4)], path)
    else if (kind < 14 && files.length > 0) {
      fs.linkSync(files[random(files.length)], path)
      continue
    } else {
      const large = index % 1000 === 0 ? 900_000 : 0
      const length = large + size()
      const start = random(noise.length - 30001)
      fs.writeFileSync(path, noise.subarray(large > 0 ? 0 : start, large > 0 ? length : start + length))
      files.push(path)
    }
    if (random(3) === 0) fs.lchownSync(path, [0, 1000, 1001, 65534][random(4)], [0, 1000, 100000][random(3)])
    if (kind < 4) fs.chmodSync(path, [0o755, 0o700, 0o1777, 0o2775, 0o555][random(5)])
    else if (kind >= 14) fs.chmodSync(path, [0o644, 0o600, 0o4755, 0o2755, 0o400, 0o000, 0o666][random(7)])
    if (kind >= 14 && random(10) === 0) {
      xattr.set(path, 'user.note', `value ${index}`)
      xattr.set(path, 'user.empty', '')
      if (random(4) === 0) xattr.set(path, 'user.large', 'y'.repeat(2000))
    }
  }
  // Directories last, deepest first: their times change with what is made in them.
  for (const path of walk(Buffer.from(root)).reverse()) {
    const seconds = [-1_000_000_000n, -1n, 0n, 1n, 1_700_000_000n, 2_200_000_000n, 4_000_000_000n][random(7)]
    const at = seconds * 10n ** 9n + BigInt(random(10 ** 9))
    setTimes(path, at, at + 86_400_000_000_001n)
  }
  return count
}

/** Every path below and including a root, parents first. */
function walk(root) {
  const paths = [root]
  for (let next = 0; next < paths.length; next++) {
    if (!fs.lstatSync(paths[next]).isDirectory()) continue
    const entries = fs.readdirSync(paths[next], { encoding: 'buffer' }).sort(Buffer.compare)
    for (const name of entries) paths.push(join(paths[next], name))
  }
  return paths
}

const COPIED = ['mode', 'uid', 'gid', 'nlink', 'size', 'mtimeNs', 'rdev']
const SAME = [...COPIED, 'ino', 'blocks', 'blksize', 'ctimeNs', 'birthtimeNs']

/** Attributes first, contents afterwards: reading changes the time of access. */
function describe(root, how) {
  const links = new Map()
  const described = new Map()
  const paths = walk(Buffer.from(root))
  for (const path of paths) {
    const stat = fs.lstatSync(path, { bigint: true })
    const facts = Object.fromEntries(
      (how === 'same' ? SAME : COPIED).map((field) => [field, String(stat[field])]),
    )
    const key = path.subarray(root.length).toString('latin1')
    // A directory's size and links are its file system's business.
    if (how === 'copy' && stat.isDirectory()) delete facts.size
    if (how === 'copy' && stat.isSymbolicLink()) delete facts.mode
    if (how === 'same' && !stat.isDirectory() && !stat.isSymbolicLink()) facts.atimeNs = String(stat.atimeNs)
    if (!links.has(stat.ino)) links.set(stat.ino, key)
    facts.firstName = links.get(stat.ino)
    facts.xattrs = JSON.stringify(allXattrs(path))
    described.set(key, facts)
  }
  return { paths, described }
}

function readContents(root, { paths, described }) {
  for (const path of paths) {
    const facts = described.get(path.subarray(root.length).toString('latin1'))
    const type = Number(facts.mode ?? 0o120000) & 0o170000
    if (type === 0o100000) facts.content = createHash('sha1').update(fs.readFileSync(path)).digest('hex')
    if (type === 0o120000) facts.target = fs.readlinkSync(path, { encoding: 'latin1' })
  }
}

function compare(a, b, how) {
  const [left, right] = [describe(a, how), describe(b, how)]
  readContents(a, left)
  readContents(b, right)
  const differences = []
  for (const [path, facts] of left.described) {
    const other = right.described.get(path)
    if (other === undefined) differences.push(`${path}: missing`)
    for (const [field, value] of other === undefined ? [] : Object.entries(facts)) {
      if (other[field] !== value) differences.push(`${path}: ${field} ${value} / ${other[field]}`)
    }
  }
  for (const path of right.described.keys())
    if (!left.described.has(path)) differences.push(`${path}: too much`)
  return { objects: left.paths.length, differences: differences.length, first: differences.slice(0, 20) }
}

if (verb === 'make') console.log(make(args[0], Number(args[1])))
else console.log(JSON.stringify(compare(args[0], args[1], args[2])))
