// Compares a mount with its source, on request: node compare-trees.mjs SOURCE MOUNT. Each line of its input is
// {"absent": [names], "milliseconds": n, "contents": b}: it looks at both until they are the same, at most so long, and
// answers how long that took, or in what they differ. With `only` it looks at
// those names and lists nothing, since a listing brings new attributes. Contents are read only if asked
// for, since the kernel asks for attributes again after each read. With {"stats": n, "paths": []} it only calls stat on the
// mount, so many times.
import fs from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'

const [source, mount] = process.argv.slice(2)

let contents = false

function describe(path) {
  try {
    const { mode, size, nlink, uid, gid, mtimeNs, ino } = fs.lstatSync(path, { bigint: true })
    const isFile = fs.constants.S_IFREG === (Number(mode) & fs.constants.S_IFMT)
    const content = contents && isFile && size <= 4096 ? fs.readFileSync(path, 'latin1') : ''
    return [mode, size, nlink, uid, gid, mtimeNs, ino, content].join(' ')
  } catch (error) {
    return error.code
  }
}

function* look(base, at, absent) {
  yield [at, describe(join(base, at))]
  for (const entry of fs.readdirSync(join(base, at), { withFileTypes: true })) {
    const path = join(at, entry.name)
    if (entry.isDirectory()) yield* look(base, path, [])
    else yield [path, describe(join(base, path))]
  }
  for (const name of absent) yield [name, describe(join(base, name))]
}

const only = (base, names) => names.map((name) => [name, describe(join(base, name))])

function difference(absent, names) {
  try {
    const here = new Map(names ? only(mount, names) : look(mount, '.', absent))
    const there = new Map(names ? only(source, names) : look(source, '.', absent))
    for (const path of new Set([...here.keys(), ...there.keys()])) {
      if (here.get(path) !== there.get(path)) {
        return `${path}: ${here.get(path) ?? 'not there'}, in the source ${there.get(path) ?? 'not there'}`
      }
    }
    return undefined
  } catch (error) {
    return error.message
  }
}

function stats(count, paths) {
  for (let index = 0; index < count; index++) fs.lstatSync(join(mount, paths[index % paths.length]))
}

for await (const line of createInterface({ input: process.stdin })) {
  const { absent = [], milliseconds = 0, stats: count, paths, ...request } = JSON.parse(line)
  contents = request.contents ?? false
  if (count !== undefined) stats(count, paths)
  const began = performance.now()
  let differs = count === undefined ? difference(absent, request.only) : undefined
  while (differs !== undefined && performance.now() - began < milliseconds) {
    await delay(1)
    differs = difference(absent, request.only)
  }
  console.log(JSON.stringify({ milliseconds: performance.now() - began, differs }))
}
