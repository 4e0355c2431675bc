import type { DriverRequest, Unique } from './driver-request.js'

const BUCKET_SHIFT = 56n
const MULTIPLIER = 0x61c8_8646_80b5_83ebn
const RESENT = 1n << 63n

/** In which of the 256 lists of a device the driver keeps a request (fuse_req_hash: hash_64 to 8 bits). */
export function bucketOf({ id, resent }: Unique): number {
  const unique = BigInt(id) | (resent ? RESENT : 0n)
  return Number(BigInt.asUintN(64, unique * MULTIPLIER) >> BUCKET_SHIFT)
}

/** What has been read from one device and waits for its answer there (struct fuse_pqueue). */
export class ProcessingList {
  readonly #requests = new Map<number, DriverRequest>()

  get size(): number {
    return this.#requests.size
  }

  [Symbol.iterator](): IterableIterator<DriverRequest> {
    return this.#requests.values()
  }

  add(request: DriverRequest): void {
    this.#requests.set(request.unique.id, request)
  }

  find({ id, resent }: Unique): DriverRequest | undefined {
    const request = this.#requests.get(id)
    return request?.unique.resent === resent ? request : undefined
  }

  remove(request: DriverRequest): void {
    this.#requests.delete(request.unique.id)
  }

  /**
   * Takes all out, in the order of the driver's lists: by bucket, the oldest of each first. `backwards`: the last bucket
   * first, as when a device is released.
   */
  takeAll(backwards = false): DriverRequest[] {
    const buckets = [...this.#requests.values()].map((request) => ({
      request,
      bucket: bucketOf(request.unique),
    }))
    this.#requests.clear()
    buckets.sort((a, b) => (backwards ? b.bucket - a.bucket : a.bucket - b.bucket))
    return buckets.map(({ request }) => request)
  }
}
