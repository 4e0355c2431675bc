import { O } from '../../src/native/open-flags.js'

/** The flags of open(2) that a scenario names, joined by `|`. */
export function openFlagsOf(names: string): number {
  let flags = 0
  for (const name of names.split('|')) {
    if (!Object.hasOwn(O, name)) throw new Error(`no flag of open(2): ${name}`)
    flags |= O[name as keyof typeof O]
  }
  return flags
}
