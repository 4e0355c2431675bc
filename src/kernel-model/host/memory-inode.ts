export interface MemoryInodeOptions {
  readonly kind?: 'regular' | 'directory' | 'other'
  readonly stackDepth?: number
  /** Lies on a file system that is mounted read-only. */
  readonly readOnly?: boolean
  /** Whether it can be opened with O_DIRECT; it can unless told. */
  readonly directIo?: boolean
}

/** A file of the host in memory. */
export class MemoryInode {
  readonly number: number
  readonly kind: 'regular' | 'directory' | 'other'
  readonly stackDepth: number
  readonly readOnly: boolean
  readonly directIo: boolean
  bytes: Uint8Array
  /** Descriptors, registrations, instances and mappings. */
  holders = 0

  constructor(number: number, content: Uint8Array, options: MemoryInodeOptions) {
    this.number = number
    this.bytes = content.slice()
    this.kind = options.kind ?? 'regular'
    this.stackDepth = options.stackDepth ?? 0
    this.readOnly = options.readOnly ?? false
    this.directIo = options.directIo ?? true
  }

  read(into: Uint8Array, position: number): number {
    const part = this.bytes.subarray(position, position + into.length)
    into.set(part)
    return part.length
  }

  write(data: Uint8Array, position: number): void {
    if (data.length === 0) return
    if (position + data.length > this.bytes.length) this.truncate(position + data.length)
    this.bytes.set(data, position)
  }

  truncate(size: number): void {
    const bytes = new Uint8Array(size)
    bytes.set(this.bytes.subarray(0, size))
    this.bytes = bytes
  }
}
