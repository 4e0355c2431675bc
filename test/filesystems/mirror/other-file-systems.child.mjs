/*
 * Drives a mirror of a source through two lives, in a process of its own: in a private mount namespace, or as
 * another user. Arguments: the compiled project's directory, the scenario, the source. Prints what it saw as JSON.
 */
import { mkdirSync, readFileSync, readdirSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

const [dist, scenario, source] = process.argv.slice(2)
const load = (path) => import(pathToFileURL(join(dist, path)).href)
const { Mirror } = await load('filesystems/mirror/index.js')
const { Journal } = await load('journal/journal.js')
const { PrivateMemory } = await load('journal/memory.js')
const { O, close, dup } = await load('native/index.js')

if (scenario === 'user') {
  process.setgroups([])
  process.setgid(65534)
  process.setuid(65534)
}

const journal = Journal.create(new PrivateMemory())
const kept = new Map()
const open = new Set()
const host = {
  nodes: journal.nodes,
  keeper: {
    keep: (node, fd) => (kept.set(node, dup(fd)), true),
    take: (node) => (kept.has(node) ? dup(kept.get(node)) : -1),
    drop: (node) => {
      if (kept.has(node)) close(kept.get(node))
      kept.delete(node)
    },
  },
  isOpen: (node) => open.has(node),
  isBacked: () => false,
}
const context = {
  uid: process.getuid(),
  gid: process.getgid(),
  pid: 0,
  groups: [],
  signal: new AbortController().signal,
  intend: () => undefined,
}
const bytes = (text) => Buffer.from(text)
const object = { mode: 0o644, umask: 0o022 }

let mirror
function next() {
  mirror?.stop()
  mirror = new Mirror({ source })
  mirror.start(host)
}
const node = (path) => path.split('/').reduce((parent, name) => mirror.lookup(parent, bytes(name)).node, 1)
const size = (id) => {
  try {
    return mirror.getattr(id, undefined).attributes.size
  } catch (error) {
    return error.code
  }
}
const content = (id) => {
  const file = mirror.reopen(id, O.RDONLY)
  const into = Buffer.alloc(100)
  const length = mirror.read(id, file, { offset: 0, size: 100 }, into)
  mirror.release(id, file)
  return into.subarray(0, length).toString()
}
/** How nodes are found again: by file handle (1) or by name (2). */
const kinds = () =>
  Array.from({ length: journal.nodes.top }, (_, slot) => journal.nodes.key(slot).locator[0] & 0x7f)

/** What must hold on every source that can be written. */
function everywhere() {
  mkdirSync(join(source, 'd/e'), { recursive: true })
  writeFileSync(join(source, 'd/e/f'), 'content')
  writeFileSync(join(source, 'd/open'), 'unlinked')
  const [f, opened] = [node('d/e/f'), node('d/open')]
  open.add(opened)
  mirror.rename(node('d/e'), bytes('f'), 1, bytes('moved'), 0, context)
  mirror.unlink(node('d'), bytes('open'), context)
  mirror.link(f, node('d'), bytes('linked'), context)
  const created = mirror.create(1, bytes('created'), O.RDWR, object, context)
  const { node: c } = created.entry
  mirror.release(c, created.file)
  next()
  return {
    moved: content(f),
    same: node('d/linked') === f && node('moved') === f,
    unlinked: content(opened),
    created: size(c),
    mode: statSync(join(source, 'created')).mode.toString(8),
  }
}

const scenarios = {
  tmpfs: () => ({ ...everywhere(), kinds: [...new Set(kinds())] }),
  user: () => ({
    ...everywhere(),
    kinds: [...new Set(kinds())],
    owner: statSync(join(source, 'created')).uid,
  }),
  overlay() {
    const lower = node('lower')
    const result = { ...everywhere(), kinds: [...new Set(kinds())] }
    // Opened for writing, a file of the lower layer is copied up and stays the same object.
    const file = mirror.reopen(lower, O.RDWR)
    mirror.write(lower, file, { offset: 0, data: bytes('UPPER'), killPrivileges: true })
    mirror.release(lower, file)
    const afterwards = node('lower') === lower
    next()
    return { ...result, copiedUp: afterwards && node('lower') === lower ? content(lower) : 'another node' }
  },
  nested() {
    const inner = node('mounted/inner')
    const names = node('mounted')
    next()
    // Nothing of the other file system was seen in this life.
    const found = content(inner)
    renameSync(join(source, 'mounted/inner'), join(source, 'mounted/renamed'))
    next()
    const result = {
      found,
      renamed: content(inner),
      root: size(names) !== 'ESTALE',
      kinds: [...new Set(kinds())],
    }
    mirror.hideDevice(...device(join(source, 'mounted')))
    let hidden
    try {
      node('mounted')
    } catch (error) {
      hidden = error.code
    }
    return { ...result, hidden, lookups: readdirSync(source) }
  },
}

function device(path) {
  const { dev } = statSync(path)
  return [((dev >>> 8) & 0xfff) >>> 0, ((dev & 0xff) | ((dev >>> 12) & 0xfff00)) >>> 0]
}

next()
const result = scenarios[scenario]()
mirror.stop()
for (const fd of kept.values()) close(fd)
const left = readdirSync('/proc/self/fd').filter((fd) => {
  try {
    return readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8').includes('flags:\t012') // O_PATH
  } catch {
    return false
  }
})
process.stdout.write(JSON.stringify({ ...result, left: left.length }))
