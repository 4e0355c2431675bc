/** JSON with bytes and big integers in it. */
export function toJson(value: unknown): string {
  return JSON.stringify(value, function (this: Readonly<Record<string, unknown>>, key) {
    // Not what is given: a Buffer has been made an object of numbers there.
    const each = this[key]
    if (typeof each === 'bigint') return { $big: String(each) }
    if (each instanceof Uint8Array) return { $bytes: Buffer.from(each).toString('latin1') }
    return each
  })
}

interface Marked {
  readonly $big?: string
  readonly $bytes?: string
}

export function fromJson(text: string): unknown {
  return JSON.parse(text, (_, each: unknown) => {
    if (typeof each !== 'object' || each === null) return each
    const { $big, $bytes } = each as Marked
    if ($big !== undefined) return BigInt($big)
    return $bytes === undefined ? each : Buffer.from($bytes, 'latin1')
  })
}
