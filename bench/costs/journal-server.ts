/**
 * Serves a mirror in this process, with its journal's stores counted (`count`), as they are (`on`), or left out
 * (`off`): what the journal costs is the difference. Talks to its parent by messages.
 */
interface Words {
  setU32: (this: Words, address: number, value: number) => void
  setF64: (this: Words, address: number, value: number) => void
  publish: (this: Words, address: number, value: number) => void
  readonly region: number
}

interface Device {
  read: (this: Device, buffer: Uint8Array, offset?: number) => number
  write: (this: Device, buffer: Uint8Array, length: number) => number
}

interface Compiled {
  readonly serve: (fs: object, options: object) => Promise<{ readonly ended: Promise<void> }>
  readonly Mirror: new (options: object) => object
  readonly Area: { readonly prototype: Words }
  readonly RequestTable: {
    readonly prototype: Record<'begin' | 'end' | 'intend', (...args: never[]) => void>
  }
  readonly RedoLog: {
    readonly prototype: Record<
      'stageU32' | 'stageF64' | 'commit' | 'apply' | 'discard',
      (...args: never[]) => void
    >
  }
  readonly NodeTable: { readonly prototype: Record<'add' | 'setName', (...args: never[]) => unknown> }
  readonly Forgetting: {
    readonly prototype: { read(transport: Device, slot: { frame: { bytes: Uint8Array } }): number }
  }
  readonly DeviceTransport: { readonly prototype: Device }
  readonly Region: { readonly requests: number; readonly frames: number }
}

const modules = [
  'recovery/serve.js',
  'filesystems/mirror/index.js',
  'journal/area.js',
  'journal/requests.js',
  'journal/redo.js',
  'journal/nodes.js',
  'session/forget.js',
  'transport/device.js',
  'journal/layout.js',
]

const loaded = await Promise.all(
  modules.map(
    (path) => import(new URL(`../../../dist/${path}`, import.meta.url).href) as Promise<Partial<Compiled>>,
  ),
)
const evermount = Object.assign({}, ...loaded) as Compiled

const counts = { tables: 0, frames: 0 }
export type Counts = typeof counts

/** Every store to the journal's tables, by its size; requests and answers by theirs. */
function countStores({ Area, RequestTable, NodeTable, DeviceTransport }: Compiled): void {
  const { setU32, setF64, publish } = Area.prototype
  Area.prototype.setU32 = function (address, value) {
    counts.tables += 4
    setU32.call(this, address, value)
  }
  Area.prototype.setF64 = function (address, value) {
    counts.tables += 8
    setF64.call(this, address, value)
  }
  Area.prototype.publish = function (address, value) {
    counts.tables += 4
    publish.call(this, address, value)
  }
  const { intend } = RequestTable.prototype
  RequestTable.prototype.intend = function (slot: never, evidence: never) {
    counts.tables += (evidence as Uint8Array).length
    intend.call(this, slot, evidence)
  }
  const { add, setName } = NodeTable.prototype
  NodeTable.prototype.add = function (identity: never, locator: never) {
    counts.tables += (identity as Uint8Array).length + (locator as Uint8Array).length
    return add.call(this, identity, locator)
  }
  NodeTable.prototype.setName = function (slot: never, parent: never, name: never) {
    counts.tables += (name as Uint8Array).length
    return setName.call(this, slot, parent, name)
  }
  const { read, write } = DeviceTransport.prototype
  DeviceTransport.prototype.read = function (buffer, offset) {
    const length = read.call(this, buffer, offset)
    if (length > 0) counts.frames += length
    return length
  }
  DeviceTransport.prototype.write = function (buffer, length) {
    counts.frames += length
    return write.call(this, buffer, length)
  }
}

/**
 * No record of requests, no commit, no mark of the frame being read. The tables of nodes and handles stay: a server
 * without a journal keeps them too. Their words are stored at once.
 */
function leaveOut({ RequestTable, RedoLog, Forgetting, Region }: Compiled): void {
  const nothing = (): void => undefined
  replace(RequestTable.prototype, { begin: nothing, end: nothing, intend: nothing })
  replace(RedoLog.prototype, {
    stageU32: (area: Words, address: number, value: number) => {
      if (area.region !== Region.requests && area.region !== Region.frames) area.setU32(address, value)
    },
    stageF64: (area: Words, address: number, value: number) => {
      area.setF64(address, value)
    },
    commit: nothing,
    apply: nothing,
    discard: nothing,
  })
  replace(Forgetting.prototype, { read: (transport, slot) => transport.read(slot.frame.bytes) })
}

/** Throws where there is no such method any more: what leaves nothing out would measure nothing. */
function replace<T extends object>(prototype: T, methods: Partial<T>): void {
  for (const name of Object.keys(methods)) {
    if (!(name in prototype)) throw new Error(`the journal has no ${name} to leave out`)
  }
  Object.assign(prototype, methods)
}

const [source, mountPoint, mode] = process.argv.slice(2)
if (mode === 'count') countStores(evermount)
if (mode === 'off') leaveOut(evermount)
const mirror = new evermount.Mirror({ source, actAsCaller: false, entryTimeout: 0, attributeTimeout: 0 })
const timeouts = { entry: 0, attributes: 0 }
const mount = await evermount.serve(mirror, { mountPoint, timeouts, mountOptions: { allowOther: true } })
process.on('message', () => process.send?.(counts))
process.send?.(counts)
await mount.ended
if (process.connected) process.disconnect()
