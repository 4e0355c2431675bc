/** What pgbench says at its end. */
export interface PgbenchOutput {
  /** Transactions whose commit it was told of. */
  readonly processed: number
  readonly failed: number
}

/** Throws for a text that says neither. */
export function parsePgbench(text: string): PgbenchOutput {
  return {
    processed: figure(text, /^number of transactions actually processed: (\d+)/m),
    failed: figure(text, /^number of failed transactions: (\d+)/m),
  }
}

function figure(text: string, pattern: RegExp): number {
  const found = pattern.exec(text)?.[1]
  if (found === undefined) throw new Error(`pgbench has not said ${pattern.source}: ${text}`)
  return Number(found)
}
