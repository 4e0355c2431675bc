import type { Name, NodeId } from '../../filesystem/file-system.js'

const PLACES = 32
const NAME_BYTES = 256

/** Where objects were last seen: the last few of them. A hint, that may be wrong when it is looked at. */
export class Sightings {
  readonly #nodes = new Float64Array(PLACES)
  readonly #parents = new Float64Array(PLACES)
  readonly #lengths = new Uint16Array(PLACES)
  readonly #names = new Uint8Array(PLACES * NAME_BYTES)
  #next = 0

  put(node: NodeId, parent: NodeId, name: Name): void {
    if (name.length > NAME_BYTES) return
    const place = this.#next
    this.#next = (place + 1) % PLACES
    this.#nodes[place] = node
    this.#parents[place] = parent
    this.#lengths[place] = name.length
    this.#names.set(name, place * NAME_BYTES)
  }

  /** The last sighting of a node, which is given once: the name is valid until the next `put`. */
  take(node: NodeId): { parent: NodeId; name: Name } | undefined {
    for (let age = 1; age <= PLACES; age++) {
      const place = (this.#next + PLACES - age) % PLACES
      if (this.#nodes[place] !== node) continue
      this.#nodes[place] = 0
      const at = place * NAME_BYTES
      return {
        parent: this.#parents[place]!,
        name: this.#names.subarray(at, at + this.#lengths[place]!),
      }
    }
    return undefined
  }
}
