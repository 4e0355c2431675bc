/** One thing that was looked at, and what to do about it. */
export interface Check {
  readonly name: string
  /** `limited`: mounts are possible, with less; `missing`: none are. */
  readonly state: 'ok' | 'limited' | 'missing'
  readonly text: string
  readonly remedy?: string | undefined
}

export function ok(name: string, text: string): Check {
  return { name, state: 'ok', text }
}

export function limited(name: string, text: string, remedy?: string): Check {
  return { name, state: 'limited', text, remedy }
}

export function missing(name: string, text: string, remedy?: string): Check {
  return { name, state: 'missing', text, remedy }
}
