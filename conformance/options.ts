import { release, tmpdir } from 'node:os'
import { parseArgs } from 'node:util'
import { profiles, type KernelProfile, type ProfileName } from '../src/kernel-model/profile.js'

export interface Options {
  readonly random: number
  readonly seed: number
  readonly profile: KernelProfile
  /** Only scenarios with this in their name. */
  readonly only: string | undefined
  readonly json: boolean
  /** Slow scenarios too. */
  readonly long: boolean
  /** Where the run's own folder is made. */
  readonly scratch: string
}

const USAGE = `npm run conformance -- [options]
  --random N       random scenarios (300; with --long 10000)
  --seed N         where the random scenarios begin
  --profile NAME   ${Object.keys(profiles).join(', ')}; by default the one for this kernel
  --only TEXT      scenarios with this in their name, and no random ones
  --long           slow scenarios too
  --scratch DIR    where to work
  --json           ends with one line of JSON`

/** Ends the process where they make no sense, or where help is asked for. */
export function readOptions(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      random: { type: 'string' },
      seed: { type: 'string' },
      profile: { type: 'string', default: profileOf(release()) },
      only: { type: 'string' },
      long: { type: 'boolean', default: false },
      scratch: { type: 'string', default: tmpdir() },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help || !Object.hasOwn(profiles, values.profile)) {
    process.stderr.write(`${USAGE}\n`)
    process.exit(values.help ? 0 : 2)
  }
  const randomByDefault = values.only !== undefined ? 0 : values.long ? 10_000 : 300
  return {
    random: Number(values.random ?? randomByDefault),
    seed: Number(values.seed ?? 1),
    profile: profiles[values.profile as ProfileName],
    only: values.only,
    json: values.json,
    long: values.long,
    scratch: values.scratch,
  }
}

/** The profile of released kernels that is nearest to a kernel's release. */
export function profileOf(kernel: string): ProfileName {
  const [major = 0, minor = 0] = kernel.split('.').map(Number)
  return major > 6 || (major === 6 && minor >= 16) ? 'linux-6.18' : 'linux-6.12'
}
