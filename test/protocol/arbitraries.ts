import * as fc from 'fast-check'
import type { RequestExtensions } from '../../src/protocol/extensions.js'
import type { OpcodeName } from '../../src/protocol/opcode.js'
import type { Dirent, DirentPlus } from '../../src/protocol/dirent.js'
import type { Notification } from '../../src/protocol/notification.js'
import { operations, type NameKind, type Operation } from '../../src/protocol/operations.js'
import type { Request, RequestHeader } from '../../src/protocol/request.js'
import type { AnyStruct } from '../../src/protocol/struct.js'
import { CuseInitOut } from '../../src/protocol/structs/cuse.js'
import { EntryOut } from '../../src/protocol/structs/entry.js'
import { ForgetOne } from '../../src/protocol/structs/forget.js'
import { IoctlOut } from '../../src/protocol/structs/ioctl.js'
import { RemovemappingOne } from '../../src/protocol/structs/mapping.js'
import { OpenOut } from '../../src/protocol/structs/open.js'
import { toU64, type U64 } from '../../src/protocol/u64.js'

export const everyOpcode = Object.keys(operations) as OpcodeName[]

/** Bytes with runs of 0 and 255, where the edges of integers lie. */
export const edgyBytes = (size: number): fc.Arbitrary<Uint8Array> =>
  fc
    .array(fc.oneof(fc.constant(0), fc.constant(0), fc.constant(255), fc.nat(255)), {
      minLength: size,
      maxLength: size,
    })
    .map((bytes) => Uint8Array.from(bytes))

/** Any value of a structure: any bytes are one. */
export function valueOf(type: AnyStruct): fc.Arbitrary<object> {
  return edgyBytes(type.size).map((bytes) => type.read(new DataView(bytes.buffer), 0))
}

const data = fc.uint8Array({ maxLength: 200 })

function nameOf(kind: NameKind): fc.Arbitrary<Uint8Array> {
  return fc
    .array(fc.integer({ min: 1, max: 255 }), { minLength: kind === 'any' ? 0 : 1, maxLength: 40 })
    .map((bytes) => {
      return Uint8Array.from(kind === 'entry' ? bytes.map((byte) => (byte === 0x2f ? 0x2e : byte)) : bytes)
    })
}

export const entryName = nameOf('entry')

export const extensions: fc.Arbitrary<RequestExtensions> = fc
  .record({
    securityContexts: fc.option(
      fc.array(fc.record({ name: nameOf('text'), value: data }), { maxLength: 31, size: 'small' }),
    ),
    groups: fc.option(fc.array(fc.nat(0xffffffff), { maxLength: 5 })),
    unknown: fc.array(
      fc.record({
        type: fc.integer({ min: 33, max: 0xffffffff }),
        data: fc.array(fc.uint8Array({ minLength: 8, maxLength: 8 }), { maxLength: 3 }).map((parts) => {
          return Uint8Array.from(parts.flatMap((part) => [...part]))
        }),
      }),
      { maxLength: 2 },
    ),
  })
  .filter(({ securityContexts, groups, unknown }) => {
    return securityContexts !== null || groups !== null || unknown.length > 0
  })

/** Any unsigned 64-bit integer in canonical form. */
export const anyU64: fc.Arbitrary<U64> = fc.oneof(
  fc.nat(),
  fc.maxSafeNat(),
  fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }).map(toU64),
)

const header: fc.Arbitrary<RequestHeader> = fc.record({
  uniqueId: fc.maxSafeNat(),
  resent: fc.boolean(),
  nodeid: anyU64,
  uid: fc.nat(0xffffffff),
  gid: fc.nat(0xffffffff),
  pid: fc.nat(0xffffffff),
})

function payloadOf(operation: Operation): fc.Arbitrary<Uint8Array | object[] | null> {
  switch (operation.payload) {
    case 'none':
      return fc.constant(null)
    case 'data':
      return data
    case 'forgets':
      return fc.array(valueOf(ForgetOne), { maxLength: 6 })
    case 'mappings':
      return fc.array(valueOf(RemovemappingOne), { maxLength: 6 })
  }
}

/** Any request of one operation. */
export function requestOf(opcode: OpcodeName): fc.Arbitrary<Request> {
  const operation: Operation = operations[opcode]
  return fc
    .record({
      header,
      body: operation.body === null ? fc.constant(null) : valueOf(operation.body),
      names: fc.tuple(...operation.names.map(nameOf)),
      payload: payloadOf(operation),
      extensions: operation.extensions ? fc.option(extensions) : fc.constant(null),
    })
    .map(({ body, payload, ...rest }) => {
      const counts: Record<string, number> = {}
      if (payload !== null) {
        if (operation.payload !== 'data') counts.count = payload.length
        else if (opcode === 'IOCTL') counts.inSize = payload.length
        else counts.size = payload.length
      }
      return { opcode, ...rest, body: body && { ...body, ...counts }, payload } as unknown as Request
    })
}

/** Any request. */
export const anyRequest: fc.Arbitrary<Request> = fc.constantFrom(...everyOpcode).chain(requestOf)

/** Any entry of a directory. */
export const anyDirent: fc.Arbitrary<Dirent> = fc.record({
  ino: anyU64,
  off: anyU64,
  type: fc.nat(0xffffffff),
  name: entryName,
})

export const anyDirentPlus: fc.Arbitrary<DirentPlus> = fc
  .tuple(anyDirent, valueOf(EntryOut))
  .map(([dirent, entry]) => ({ ...dirent, entry }) as DirentPlus)

/** A body for a reply to an operation, and the `size` that its request would have asked for. */
export function replyBodyOf(operation: Operation): fc.Arbitrary<{ body: unknown; size?: number }> {
  switch (operation.reply) {
    case 'no-reply':
    case 'empty':
      return fc.constant({ body: null })
    case 'struct':
      return valueOf(operation.replyStruct!).map((body) => ({ body }))
    case 'entry-open':
      return fc.record({ body: fc.record({ entry: valueOf(EntryOut), open: valueOf(OpenOut) }) })
    case 'bytes':
      return fc.record({ body: data, size: fc.constant(200) })
    case 'size-or-bytes':
      return fc.oneof(
        fc.record({ body: fc.record({ size: fc.nat(0xffffffff) }), size: fc.constant(0) }),
        fc.record({ body: fc.record({ bytes: data }), size: fc.constant(200) }),
      )
    case 'dirents':
      return fc.record({ body: fc.array(anyDirent, { maxLength: 4 }) })
    case 'direntplus':
      return fc.record({ body: fc.array(anyDirentPlus, { maxLength: 4 }) })
    case 'ioctl':
      return fc.record({ body: fc.record({ out: valueOf(IoctlOut), data }) })
    case 'cuse-init':
      return fc.record({ body: fc.record({ out: valueOf(CuseInitOut), info: data }) })
  }
}

const anyI64 = anyU64.map((value) => toU64(BigInt.asIntN(64, BigInt(value))))

/** Any notification. */
export const anyNotification: fc.Arbitrary<Notification> = fc.oneof(
  fc.record({ code: fc.constant('POLL' as const), kh: anyU64 }),
  fc.record({ code: fc.constant('INVAL_INODE' as const), nodeid: anyU64, off: anyI64, len: anyI64 }),
  fc.record({
    code: fc.constant('INVAL_ENTRY' as const),
    parent: anyU64,
    name: entryName,
    expireOnly: fc.boolean(),
  }),
  fc.record({ code: fc.constant('STORE' as const), nodeid: anyU64, offset: anyU64, data }),
  fc.record({
    code: fc.constant('RETRIEVE' as const),
    notifyUnique: anyU64,
    nodeid: anyU64,
    offset: anyU64,
    size: fc.nat(0xffffffff),
  }),
  fc.record({ code: fc.constant('DELETE' as const), parent: anyU64, child: anyU64, name: entryName }),
  fc.record({ code: fc.constantFrom('RESEND' as const, 'INC_EPOCH' as const) }),
  fc.record({ code: fc.constant('PRUNE' as const), nodeids: fc.array(anyU64, { maxLength: 5 }) }),
)
