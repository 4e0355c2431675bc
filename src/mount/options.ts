import { FuseError } from '../errors/fuse-error.js'

/** How a mount is made: what `-o` says, as one object. What is absent was not said. */
export interface MountOptions {
  /** Nothing can be changed through the mount. */
  readonly readOnly?: boolean
  /** Users other than the mounting one may use it. As root this brings `defaultPermissions` with it. */
  readonly allowOther?: boolean
  /** The kernel checks modes and ACLs itself. */
  readonly defaultPermissions?: boolean
  /** Set-user-id programs run without it. Mounts by fusermount3 always have it. */
  readonly nosuid?: boolean
  /** Devices cannot be opened. Mounts by fusermount3 always have it. */
  readonly nodev?: boolean
  readonly noexec?: boolean
  readonly noatime?: boolean
  readonly nodiratime?: boolean
  readonly relatime?: boolean
  readonly strictatime?: boolean
  readonly sync?: boolean
  readonly dirsync?: boolean
  /** The mount point need not be empty, and may be one already. */
  readonly nonempty?: boolean
  /** What /proc/self/mountinfo shows as the source. */
  readonly fsname?: string
  /** The type is shown as `fuse.` and this; `evermount` when absent. Letters, digits, `.`, `_`, `-`. */
  readonly subtype?: string
  /** Most bytes of one READ. */
  readonly maxRead?: number
}

type Flag = { [K in keyof MountOptions]-?: boolean extends MountOptions[K] ? K : never }[keyof MountOptions]

/** Words without a value: the field they set, and to what. */
const words: Readonly<Record<string, readonly [Flag, boolean] | null>> = {
  ro: ['readOnly', true],
  rw: ['readOnly', false],
  allow_other: ['allowOther', true],
  default_permissions: ['defaultPermissions', true],
  nosuid: ['nosuid', true],
  suid: ['nosuid', false],
  nodev: ['nodev', true],
  dev: ['nodev', false],
  noexec: ['noexec', true],
  exec: ['noexec', false],
  noatime: ['noatime', true],
  atime: ['noatime', false],
  nodiratime: ['nodiratime', true],
  diratime: ['nodiratime', false],
  relatime: ['relatime', true],
  norelatime: ['relatime', false],
  strictatime: ['strictatime', true],
  nostrictatime: ['strictatime', false],
  sync: ['sync', true],
  async: ['sync', false],
  dirsync: ['dirsync', true],
  nonempty: ['nonempty', true],
  // What mount(8) and /etc/fstab say to each other.
  defaults: null,
  auto: null,
  noauto: null,
  user: null,
  nouser: null,
  users: null,
  nofail: null,
  _netdev: null,
}

const usage = (problem: string): FuseError => new FuseError('ERR_USAGE', { problem })

function parseMaxRead(value: string): number {
  const number = Number(value)
  if (!/^\d+$/.test(value) || number < 4096 || number > 0x7fffffff) {
    throw usage(`mount option max_read=${value}: a number of bytes from 4096 on is expected`)
  }
  return number
}

function parseSubtype(value: string): string {
  if (!/^[\w.-]+$/.test(value))
    throw usage(`mount option subtype=${value}: only letters, digits, ".", "_" and "-"`)
  return value
}

/** Splits at commas; a backslash takes the next character as it is. */
function split(text: string): string[] {
  return [...text.matchAll(/(?:\\.|[^,])+/gs)].map(([part]) => part.replace(/\\(.)/gs, '$1'))
}

/**
 * Reads the arguments of `-o`: `ro,allow_other,fsname=x`, each argument with several options; later ones win.
 * Throws ERR_USAGE for an option that is not known.
 */
export function parseMountOptions(...texts: readonly string[]): MountOptions {
  let options: MountOptions = {}
  for (const option of texts.flatMap(split)) {
    const equals = option.indexOf('=')
    const name = equals < 0 ? option : option.slice(0, equals)
    const value = equals < 0 ? undefined : option.slice(equals + 1)
    options = { ...options, ...parseOption(name, value) }
  }
  return options
}

/** Options for the programs of user space (mount(8), systemd), not for a file system. */
function isComment(name: string): boolean {
  return /^x-./i.test(name) || name === 'comment'
}

function parseOption(name: string, value: string | undefined): MountOptions {
  if (isComment(name)) return {}
  const word = Object.hasOwn(words, name) ? words[name] : undefined
  if (word !== undefined) {
    if (value !== undefined) throw usage(`mount option ${name} takes no value`)
    return word === null ? {} : { [word[0]]: word[1] }
  }
  if (!['fsname', 'subtype', 'max_read'].includes(name)) throw usage(`unknown mount option ${name}`)
  if (value === undefined || value === '') throw usage(`mount option ${name} needs a value`)
  if (name === 'fsname') return { fsname: value }
  return name === 'subtype' ? { subtype: parseSubtype(value) } : { maxRead: parseMaxRead(value) }
}
