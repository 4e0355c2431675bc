import { Area } from '../../src/journal/area.js'
import { FRAME_BYTES } from '../../src/journal/journal.js'
import {
  HandleRecord,
  Header,
  NameRecord,
  NodeRecord,
  RedoRecord,
  Region,
  RequestRecord,
} from '../../src/journal/layout.js'

const STORES = ['setU32', 'setF64', 'publish'] as const

export interface Store {
  readonly region: number
  readonly address: number
  readonly value: number
}

/** Calls back before each store of a word in a journal, by this process. */
export function beforeStores(step: (store: Store) => void): void {
  for (const name of STORES) {
    // eslint-disable-next-line @typescript-eslint/unbound-method -- it is called on the area at hand
    const store = Area.prototype[name]
    Area.prototype[name] = function (this: Area, address: number, value: number): void {
      step({ region: this.region, address, value })
      store.call(this, address, value)
    }
  }
}

type Fields = Readonly<Record<string, number>>
const RECORDS: Readonly<Record<number, { readonly table: string; readonly fields: Fields }>> = {
  [Region.requests]: { table: 'requests', fields: RequestRecord },
  [Region.nodes]: { table: 'nodes', fields: NodeRecord },
  [Region.names]: { table: 'names', fields: NameRecord },
  [Region.handles]: { table: 'handles', fields: HandleRecord },
  [Region.redo]: { table: 'redo', fields: RedoRecord },
}

/** What a word of the journal is called. */
export function wordName(region: number, address: number): string {
  if (region === Region.header) return fieldAt(Header, address)
  if (region === Region.frames) return `frames[${Math.floor(address / FRAME_BYTES)}].length`
  const record = RECORDS[region]
  if (record === undefined) return `index at ${address}`
  const bytes = record.fields['bytes'] ?? 1
  return `${record.table}[${Math.floor(address / bytes)}].${fieldAt(record.fields, address % bytes)}`
}

function fieldAt(fields: Fields, offset: number): string {
  let found = ['', -1] as const as readonly [string, number]
  for (const entry of Object.entries(fields)) {
    if (entry[0] !== 'bytes' && entry[1] <= offset && entry[1] > found[1]) found = entry
  }
  return found[1] === offset ? found[0] : `${found[0]}+${offset - found[1]}`
}
