/** Bytes from hexadecimal text; what follows a # is a comment. */
export function bytes(strings: TemplateStringsArray): Uint8Array {
  const digits = strings
    .join('')
    .split('\n')
    .map((line) => line.split('#')[0]!)
    .join('')
    .replace(/\s/g, '')
  return Uint8Array.from(digits.match(/../g) ?? [], (pair) => {
    const byte = Number.parseInt(pair, 16)
    if (Number.isNaN(byte)) throw new Error(`"${pair}" is not hexadecimal`)
    return byte
  })
}

const encoder = new TextEncoder()

/** The UTF-8 bytes of a text. */
export function text(value: string): Uint8Array {
  return encoder.encode(value)
}
