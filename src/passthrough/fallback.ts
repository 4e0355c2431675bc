import { errnoName } from '../errors/errno.js'

/** Why a file, or a whole mount, does without passthrough. */
export type FallbackCause =
  /** The mount was made without it. */
  | 'disabled'
  /** CAP_SYS_ADMIN in the initial user namespace is missing (EPERM), or passthrough was not negotiated. */
  | 'no privilege'
  /** The kernel was built without it (EOPNOTSUPP), or is older than 6.9. */
  | 'no kernel support'
  /** The source lies on too many stacked file systems (ELOOP): see the option for the stack depth. */
  | 'stacked too deep'
  /** Not a regular file (EINVAL, EISDIR). */
  | 'not a regular file'
  /** Any other refusal. */
  | 'refused'

export interface Fallback {
  readonly cause: FallbackCause
  /** True: no file of this mount will do better; false: this one. */
  readonly wholeMount: boolean
  readonly errno: number
}

/** What a refused registration (positive errno) means. */
export function fallbackOf(errno: number): Fallback {
  switch (errnoName(errno)) {
    case 'EPERM':
      return { cause: 'no privilege', wholeMount: true, errno }
    case 'EOPNOTSUPP':
    case 'ENOTTY':
      return { cause: 'no kernel support', wholeMount: true, errno }
    case 'ELOOP':
      return { cause: 'stacked too deep', wholeMount: false, errno }
    case 'EINVAL':
    case 'EISDIR':
      return { cause: 'not a regular file', wholeMount: false, errno }
    default:
      return { cause: 'refused', wholeMount: false, errno }
  }
}
