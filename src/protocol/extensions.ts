import { FuseError } from '../errors/fuse-error.js'
import { ExtensionType } from './flags/device.js'
import { ExtHeader, Secctx, SuppGroups } from './structs/extension.js'

/** A security label that the new object shall have, for instance `security.selinux`. */
export interface SecurityContext {
  readonly name: Uint8Array
  readonly value: Uint8Array
}

/** What follows the names of CREATE, MKDIR, MKNOD, SYMLINK and TMPFILE where it was agreed on. */
export interface RequestExtensions {
  /** INIT flag SECURITY_CTX; an empty list when no security module has a label, `null` when not sent. */
  readonly securityContexts: readonly SecurityContext[] | null
  /** INIT flag CREATE_SUPP_GROUP: the caller's groups that matter, in practice the directory's group. */
  readonly groups: readonly number[] | null
  /** Extensions of a type that FUSE 7.45 does not have; `data` is what follows the header. */
  readonly unknown: readonly { readonly type: number; readonly data: Uint8Array }[]
}

const pad8 = (size: number): number => (size + 7) & ~7

function malformed(problem: string): FuseError {
  return new FuseError('ERR_PROTOCOL_EXTENSION', { problem })
}

/**
 * Reads the extensions in `[at, end)`: ext_header {size, type} and content, one after the other, each a multiple
 * of 8 bytes. Throws ERR_PROTOCOL_EXTENSION; names and values are views of `bytes`.
 */
export function readExtensions(
  bytes: Uint8Array,
  view: DataView,
  at: number,
  end: number,
): RequestExtensions {
  let securityContexts: readonly SecurityContext[] | null = null
  let groups: readonly number[] | null = null
  const unknown: { type: number; data: Uint8Array }[] = []
  while (at < end) {
    if (end - at < ExtHeader.size) throw malformed('truncated header')
    const size = view.getUint32(at + ExtHeader.offset.size, true)
    const type = view.getUint32(at + ExtHeader.offset.type, true)
    if (size < ExtHeader.size || size % 8 !== 0 || size > end - at) throw malformed(`size ${size}`)
    const content = at + ExtHeader.size
    at += size
    if (type <= ExtensionType.MAX_NR_SECCTX) {
      if (securityContexts !== null) throw malformed('two lists of security contexts')
      securityContexts = readSecurity(bytes, view, content, at, type)
    } else if (type === ExtensionType.GROUPS) {
      if (groups !== null) throw malformed('two lists of groups')
      groups = readGroups(view, content, at)
    } else {
      unknown.push({ type, data: bytes.subarray(content, at) })
    }
  }
  return { securityContexts, groups, unknown }
}

/** `count` times: fuse_secctx {size}, name, NUL, value, padding to 8 bytes. */
function readSecurity(
  bytes: Uint8Array,
  view: DataView,
  at: number,
  end: number,
  count: number,
): SecurityContext[] {
  const contexts: SecurityContext[] = []
  const base = at
  for (let i = 0; i < count; i++) {
    if (end - at < Secctx.size) throw malformed('truncated security context')
    const size = view.getUint32(at + Secctx.offset.size, true)
    const name = at + Secctx.size
    let nul = name
    while (nul < end && bytes[nul] !== 0) nul++
    if (nul >= end || nul === name) throw malformed('security context without a name')
    const value = nul + 1
    if (size > end - value) throw malformed('truncated security context')
    contexts.push({ name: bytes.subarray(name, nul), value: bytes.subarray(value, value + size) })
    at = base + pad8(value + size - base)
  }
  if (at !== end) throw malformed('security contexts of the wrong length')
  return contexts
}

/** fuse_supp_groups {nr_groups}, the groups, padding to 8 bytes. */
function readGroups(view: DataView, at: number, end: number): number[] {
  if (end - at < SuppGroups.size) throw malformed('truncated groups')
  const count = view.getUint32(at, true)
  const list = at + SuppGroups.offset.groups
  if (count > (end - list) / 4 || pad8(SuppGroups.size + count * 4) !== end - at)
    throw malformed(`${count} groups in ${end - at} bytes`)
  return Array.from({ length: count }, (_, i) => view.getUint32(list + i * 4, true))
}

const pairSize = (context: SecurityContext): number =>
  pad8(Secctx.size + context.name.length + 1 + context.value.length)
const groupsSize = (groups: readonly number[]): number => pad8(SuppGroups.size + groups.length * 4)

/** Bytes that {@link writeExtensions} fills: a multiple of 8, at most 524,280. */
export function extensionsSize(extensions: RequestExtensions): number {
  const { securityContexts, groups, unknown } = extensions
  let size = 0
  if (securityContexts !== null) {
    if (securityContexts.length > ExtensionType.MAX_NR_SECCTX) throw malformed('too many security contexts')
    size += ExtHeader.size + securityContexts.reduce((sum, context) => sum + pairSize(context), 0)
  }
  if (groups !== null) size += ExtHeader.size + groupsSize(groups)
  for (const { type, data } of unknown) {
    if (type <= ExtensionType.GROUPS) throw malformed(`type ${type} is known`)
    size += ExtHeader.size + pad8(data.length)
  }
  if (size > 0xffff * 8) throw malformed('longer than a header can say')
  return size
}

/** Writes what {@link readExtensions} reads; the bytes from `at` must be zero. */
export function writeExtensions(
  extensions: RequestExtensions,
  bytes: Uint8Array,
  view: DataView,
  at: number,
): void {
  const { securityContexts, groups, unknown } = extensions
  if (securityContexts !== null) {
    const size = ExtHeader.size + securityContexts.reduce((sum, context) => sum + pairSize(context), 0)
    ExtHeader.write(view, at, { size, type: securityContexts.length })
    at += ExtHeader.size
    for (const context of securityContexts) {
      if (context.name.length === 0 || context.name.includes(0)) throw malformed('name of a security context')
      Secctx.write(view, at, { size: context.value.length })
      bytes.set(context.name, at + Secctx.size)
      bytes.set(context.value, at + Secctx.size + context.name.length + 1)
      at += pairSize(context)
    }
  }
  if (groups !== null) {
    const size = ExtHeader.size + groupsSize(groups)
    ExtHeader.write(view, at, { size, type: ExtensionType.GROUPS })
    SuppGroups.write(view, at + ExtHeader.size, { nrGroups: groups.length })
    const list = at + ExtHeader.size + SuppGroups.offset.groups
    groups.forEach((group, i) => view.setUint32(list + i * 4, group, true))
    at += size
  }
  for (const { type, data } of unknown) {
    ExtHeader.write(view, at, { size: ExtHeader.size + pad8(data.length), type })
    bytes.set(data, at + ExtHeader.size)
    at += ExtHeader.size + pad8(data.length)
  }
}
