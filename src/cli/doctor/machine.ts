import { existsSync, readFileSync, statfsSync } from 'node:fs'
import { release } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { errnoName } from '../../errors/index.js'
import { CONNECTIONS, hasFusectl } from '../../mount/index.js'
import { CAP, close, descriptorLimit, hasCapability, memfdCreate } from '../../native/index.js'
import { RuntimeDirectory } from '../../recovery/runtime-directory.js'
import { limited, missing, ok, type Check } from './check.js'

/** Descriptors that a server should be able to have: it keeps one for each object in use. */
const ENOUGH_DESCRIPTORS = 16_384

const isAtLeast = (version: string, major: number, minor: number): boolean => {
  const [own = 0, ownMinor = 0] = version.split('.').map(Number)
  return own > major || (own === major && ownMinor >= minor)
}

export function checkNode(): Check {
  const { node } = process.versions
  if (isAtLeast(node, 20, 11)) return ok('Node.js', node)
  return missing('Node.js', `${node} is too old`, 'Install Node.js 20.11 or later.')
}

export function checkKernel(): Check {
  const version = release()
  if (isAtLeast(version, 6, 9)) return ok('kernel', version)
  const remedy = 'Linux 6.9 or later has passthrough and can resend requests.'
  if (isAtLeast(version, 5, 4)) return limited('kernel', version, remedy)
  return missing('kernel', `${version} is too old (5.4 is the least)`, remedy)
}

export function checkPrivilege(): Check {
  const who = process.geteuid?.() === 0 ? 'root' : `user ${process.geteuid?.() ?? '?'}`
  if (hasCapability(CAP.SYS_ADMIN)) return ok('privilege', `${who}, with CAP_SYS_ADMIN`)
  return limited(
    'privilege',
    `${who}, without CAP_SYS_ADMIN: mounts by fusermount3, without passthrough`,
    'Run as root in the initial user namespace; in a container: --cap-add SYS_ADMIN --device /dev/fuse.',
  )
}

export function checkFusermount(): Check {
  const name = 'fusermount3'
  const path = ['fusermount3', 'fusermount']
    .flatMap((program) => (process.env['PATH'] ?? '').split(delimiter).map((folder) => join(folder, program)))
    .find((candidate) => existsSync(candidate))
  if (path !== undefined) return ok(name, path)
  const remedy = 'Install it: apt-get install fuse3 (Debian), dnf install fuse3 (Fedora).'
  if (hasCapability(CAP.SYS_ADMIN)) return limited(name, 'not installed: only root can mount', remedy)
  return missing(name, 'not installed, and a plain user cannot mount without it', remedy)
}

export function checkAllowOther(): Check {
  const name = 'user_allow_other'
  let allowed = false
  try {
    allowed = /^\s*user_allow_other\s*$/m.test(readFileSync('/etc/fuse.conf', 'utf8'))
  } catch {
    // Without the file nothing is allowed.
  }
  if (allowed) return ok(name, 'plain users may let others in')
  if (process.geteuid?.() === 0) return ok(name, 'not set; root need not have it')
  const remedy = 'As root, put the line "user_allow_other" into /etc/fuse.conf.'
  return limited(name, 'not set: --allow-other is only for root', remedy)
}

export function checkFusectl(): Check {
  if (hasFusectl()) return ok('fusectl', `mounted at ${CONNECTIONS}`)
  const remedy = `As root: mount -t fusectl fusectl ${CONNECTIONS}`
  return limited(
    'fusectl',
    'not mounted: requests in flight are not counted, no mount can be aborted',
    remedy,
  )
}

export function checkMemfd(): Check {
  const fd = memfdCreate('evermount-doctor')
  if (fd < 0) {
    const text = `memfd_create: ${errnoName(-fd) ?? String(-fd)}; there is no memory for the journal`
    return missing('memfd', text, 'Allow memfd_create(2) in the seccomp profile of the container.')
  }
  close(fd)
  return ok('memfd', 'memory that outlives a process can be had')
}

export function checkDescriptors(): Check {
  const name = 'RLIMIT_NOFILE'
  const limit = descriptorLimit()
  if (typeof limit === 'number') return limited(name, `not known (${errnoName(-limit) ?? String(-limit)})`)
  const text = `${limit.soft} descriptors, at most ${limit.hard}`
  if (limit.soft >= ENOUGH_DESCRIPTORS) return ok(name, text)
  return limited(name, `${text}: few for large trees`, `Raise it: ulimit -n ${ENOUGH_DESCRIPTORS}`)
}

const TMPFS_MAGIC = 0x01021994

/** Supervisors keep their control sockets there. */
export function checkRuntimeDirectory(): Check {
  const name = 'runtime folder'
  const base = RuntimeDirectory.base()
  let existing = base
  while (!existsSync(existing)) existing = dirname(existing)
  try {
    const kind =
      statfsSync(existing).type === TMPFS_MAGIC ? 'on tmpfs' : 'not on tmpfs: a restart may leave notes in it'
    return ok(name, `${base}, ${kind}`)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    return missing(name, `${base}: ${code ?? 'not usable'}`, 'Name another one in EVERMOUNT_RUNTIME_DIR.')
  }
}
