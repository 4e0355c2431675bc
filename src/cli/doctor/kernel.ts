import { isFuseError } from '../../errors/index.js'
import { DEVICE_PATH } from '../../mount/index.js'
import { chooseStrategy, type KernelCapabilities } from '../../passthrough/capabilities.js'
import { probe } from '../../passthrough/probe.js'
import { limited, missing, ok, type Check } from './check.js'

export interface KernelFindings {
  readonly checks: readonly Check[]
  /** `undefined` without a usable device. */
  readonly capabilities: KernelCapabilities | undefined
}

/** What a probe on a private mount shows. */
export async function checkKernelFeatures(): Promise<KernelFindings> {
  let capabilities: KernelCapabilities
  try {
    capabilities = await probe()
  } catch (error) {
    if (!isFuseError(error, 'ERR_NO_DEVICE')) throw error
    return { checks: [missing(DEVICE_PATH, error.message, error.remedy)], capabilities: undefined }
  }
  const checks = [
    ok(DEVICE_PATH, 'can be opened'),
    checkProtocol(capabilities),
    checkPassthrough(capabilities),
    ok('strategy', strategyText(capabilities)),
    checkResend(capabilities),
  ]
  return { checks, capabilities }
}

function checkProtocol({ minor }: KernelCapabilities): Check {
  return minor === 0 ? limited('FUSE', 'version not known') : ok('FUSE', `version 7.${minor}`)
}

function checkPassthrough({ passthrough, passthroughProblem }: KernelCapabilities): Check {
  if (passthrough) return ok('passthrough', 'works')
  return limited(
    'passthrough',
    passthroughProblem ?? 'does not work',
    'Reads and writes go through the server; it takes Linux 6.9 or later, and root.',
  )
}

function strategyText(capabilities: KernelCapabilities): string {
  const proposed = [
    capabilities.inodeCache ? 'FOPEN_PASSTHROUGH_INODE_CACHE' : undefined,
    capabilities.inodeCompare ? 'inode comparison' : undefined,
    capabilities.closeAll ? 'close-all' : undefined,
  ].filter((name) => name !== undefined)
  const extras = proposed.length === 0 ? 'none of the proposed features' : proposed.join(', ')
  return `${chooseStrategy(capabilities).name} (${extras})`
}

function checkResend({ resend }: KernelCapabilities): Check {
  if (resend) return ok('resend', 'calls under way survive the death of a server')
  return limited('resend', 'calls under way when a server dies do not end', 'It takes Linux 6.9 or later.')
}
