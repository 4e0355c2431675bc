import type { AnyField, Field } from './field.js'

type Fields = Readonly<Record<string, AnyField>>
type ValueOf<F> = F extends { readonly read: (view: DataView, at: number) => infer V } ? V : never
type KeysOf<F extends Fields, Role> = {
  [K in keyof F]: F[K]['role'] extends Role ? K : never
}[keyof F]

type ReadValue<F extends Fields> = { [K in KeysOf<F, 'value' | 'optional'>]: ValueOf<F[K]> }
type WriteValue<F extends Fields> = { readonly [K in KeysOf<F, 'value'>]: ValueOf<F[K]> } & {
  readonly [K in KeysOf<F, 'optional'>]?: ValueOf<F[K]>
}

/** A field as it lies in a structure. */
export interface Placed {
  readonly key: string
  /** fuse.h's spelling of the field. */
  readonly cName: string
  readonly cType: string
  readonly offset: number
  readonly size: number
}

/**
 * A structure of the wire, declared once by {@link struct}: layout, TypeScript type, reader and writer.
 * Hot code reads single fields at `at + S.offset.field`; everything else uses `read` and `write`.
 */
export interface Struct<Value, Input = Value, Key extends string = string> extends Field<
  Value,
  'value',
  Input
> {
  /** fuse.h's spelling, for instance `fuse_entry_out`. */
  readonly cName: string
  /** Offset in bytes of each field, spare ones included. */
  readonly offset: Readonly<Record<Key, number>>
  readonly layout: readonly Placed[]
  /** Reads the value that starts at `at`; the view must hold `size` bytes from there. */
  readonly read: (view: DataView, at: number) => Value
  /** Writes every byte of the structure; ERR_PROTOCOL_NUMBER for a value that its field cannot hold. */
  readonly write: (view: DataView, at: number, value: Input) => void
}

/** Some structure, whichever. */
export type AnyStruct = Struct<object, never>

/** The value type of a structure: what reading gives. */
export type Infer<S> = S extends { readonly read: (view: DataView, at: number) => infer Value }
  ? Value
  : never

/** What writing a structure takes: as {@link Infer}, without the need for its optional fields. */
export type InferInput<S> = S extends {
  readonly write: (view: DataView, at: number, value: infer Input) => void
}
  ? Input
  : never

/** fuse.h's spelling of a field: `entryValid` is `entry_valid`. */
function toCName(key: string): string {
  return key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
}

interface Member {
  readonly key: string
  readonly offset: number
  readonly optional: boolean
  readonly zero: unknown
  readonly read: (view: DataView, at: number) => unknown
  readonly write: (view: DataView, at: number, value: unknown) => void
}

type Read = (view: DataView, at: number) => Record<string, unknown>
type Write = (view: DataView, at: number, value: Readonly<Record<string, unknown>>) => void

function looping(members: readonly Member[], spares: readonly Member[]): Write {
  return (view, at, value) => {
    for (const member of members) {
      const given = value[member.key]
      member.write(view, at + member.offset, given === undefined && member.optional ? member.zero : given)
    }
    for (const member of spares) member.write(view, at + member.offset, null)
  }
}

/**
 * The same as a function with a statement for each field: in a loop that all structures share no property and no call is
 * ever the one that V8 has seen before, and an entry takes four times as long. undefined where no code may be made at run
 * time (--disallow-code-generation-from-strings).
 */
function unrolled(members: readonly Member[], spares: readonly Member[]): Write | undefined {
  const all = [...members, ...spares]
  const writers = all.map((_, index) => `w${index}`).join(', ')
  const statements = all.map(({ key, offset, optional }, index) => {
    const given = index >= members.length ? 'null' : `value.${key}`
    return `w${index}(view, at + ${offset}, ${optional ? `${given} === undefined ? zeros[${index}] : ${given}` : given})`
  })
  const source = `const [${writers}] = writers
return (view, at, value) => {
${statements.join('\n')}
}`
  try {
    // eslint-disable-next-line @typescript-eslint/no-implied-eval -- made of field names and numbers of ours
    const make = new Function('writers', 'zeros', source) as (...lists: readonly unknown[][]) => Write
    return make(
      all.map(({ write }) => write),
      all.map(({ zero }) => zero),
    )
  } catch {
    return undefined
  }
}

/** Declares a structure; its fields lie as a C compiler for x86_64 or arm64 would place them. */
export function struct<const F extends Fields>(
  cName: string,
  fields: F,
): Struct<ReadValue<F>, WriteValue<F>, keyof F & string> {
  const offset: Record<string, number> = {}
  const layout: Placed[] = []
  const members: Member[] = []
  const spares: Member[] = []
  const zero: Record<string, unknown> = {}
  let end = 0
  let align = 1
  for (const [key, field] of Object.entries(fields)) {
    const at = Math.ceil(end / field.align) * field.align
    if (at !== end) throw new Error(`${cName}.${key} leaves a hole; fuse.h has none`)
    end = at + field.size
    align = Math.max(align, field.align)
    offset[key] = at
    layout.push({ key, cName: toCName(key), cType: field.cType, offset: at, size: field.size })
    const member: Member = {
      key,
      offset: at,
      optional: field.role === 'optional',
      zero: field.zero,
      read: field.read,
      write: field.write as Member['write'],
    }
    if (field.role === 'spare') {
      spares.push(member)
    } else {
      members.push(member)
      zero[key] = field.zero
    }
  }
  const size = Math.ceil(end / align) * align

  // Cloning `zero` gives every value of a structure the same hidden class; keyed stores on an empty object
  // would turn the larger ones into dictionaries.
  const read: Read = (view, at) => {
    const value = { ...zero }
    for (const member of members) value[member.key] = member.read(view, at + member.offset)
    return value
  }
  const made = {
    cName,
    cType: `struct ${cName}`,
    size,
    align,
    role: 'value',
    offset,
    layout,
    zero,
    read,
    write: unrolled(members, spares) ?? looping(members, spares),
  }
  return made as unknown as Struct<ReadValue<F>, WriteValue<F>, keyof F & string>
}
