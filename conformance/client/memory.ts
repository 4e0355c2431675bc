import { Errno } from '../../src/errors/errno.js'
import { type NativeCall, checked, libc } from '../../src/native/libc.js'
import { addressOf } from '../../src/native/memory-address.js'

const mmapCall = libc.func('int64_t mmap(uintptr_t, size_t, int, int, int, int64_t)') as NativeCall<
  [number, number, number, number, number, number]
>
const munmapCall = libc.func('int munmap(uintptr_t, size_t)') as NativeCall<[number, number]>
const readvCall = libc.func(
  'int64_t process_vm_readv(int, void *, unsigned long, void *, unsigned long, unsigned long)',
) as NativeCall<[number, Uint8Array, number, Uint8Array, number, number]>
const writevCall = libc.func(
  'int64_t process_vm_writev(int, void *, unsigned long, void *, unsigned long, unsigned long)',
) as NativeCall<[number, Uint8Array, number, Uint8Array, number, number]>

const PROT_READ = 1
const PROT_WRITE = 2
const MAP_SHARED = 1
const MAP_PRIVATE = 2

/** A mapping of a file by its address. */
export interface Mapping {
  readonly address: number
  readonly length: number
}

/** mmap(2) of a file's beginning: the mapping or a negated errno. */
export function map(fd: number, length: number, kind: 'read' | 'write' | 'private'): Mapping | number {
  const protection = kind === 'read' ? PROT_READ : PROT_READ | PROT_WRITE
  const address = mmapCall(0, length, protection, kind === 'private' ? MAP_PRIVATE : MAP_SHARED, fd, 0)
  return address === -1 ? checked(-1) : { address, length }
}

export function unmap({ address, length }: Mapping): number {
  return checked(munmapCall(address, length))
}

function vector(address: number, length: number): Uint8Array {
  const bytes = new Uint8Array(16)
  const view = new DataView(bytes.buffer)
  view.setBigUint64(0, BigInt(address), true)
  view.setBigUint64(8, BigInt(length), true)
  return bytes
}

/**
 * Loads bytes of a mapping: how many, or a negated errno. Goes by way of process_vm_readv(2), which takes the same page
 * faults and answers EFAULT where a load would be a SIGBUS that ends this process.
 */
export function load({ address }: Mapping, at: number, into: Uint8Array): number {
  const local = vector(addressOf(into, 0), into.length)
  return complete(
    checked(readvCall(process.pid, local, 1, vector(address + at, into.length), 1, 0)),
    into.length,
  )
}

/** Stores bytes into a mapping, in the same way. */
export function store({ address }: Mapping, at: number, bytes: Uint8Array): number {
  const local = vector(addressOf(bytes, 0), bytes.length)
  return complete(
    checked(writevCall(process.pid, local, 1, vector(address + at, bytes.length), 1, 0)),
    bytes.length,
  )
}

const complete = (count: number, wanted: number): number =>
  count >= 0 && count < wanted ? -Errno.EFAULT : count
