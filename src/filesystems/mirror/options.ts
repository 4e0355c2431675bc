import type { Attributes } from '../../filesystem/file-system.js'

export interface MirrorOptions {
  /** The directory to mirror. A successor must be given the same one. */
  readonly source: string
  /** Everything that would change the source is answered EROFS. */
  readonly readOnly?: boolean | undefined
  /** Offers each regular file to the kernel for passthrough (default). */
  readonly passthrough?: boolean | undefined
  /** True for files whose reads and writes shall come to the server all the same; asked at each open. */
  readonly passthroughExclude?: ((attributes: Attributes) => boolean) | undefined
  /** Seconds for which the kernel may rely on names, attributes and absent names; default: the session's. */
  readonly entryTimeout?: number | undefined
  readonly attributeTimeout?: number | undefined
  /** 0, the default: absent names are not remembered. */
  readonly negativeTimeout?: number | undefined
  /**
   * Changes of the source are told by this descriptor (MountRequest.watch), and the kernel is told of them: then long
   * times are safe. They hold for the source's own file system; for others that are mounted in it a second at most.
   */
  readonly watch?: number | undefined
  /**
   * Creates objects as the calling user. Needs root, and a mount with `default_permissions`: everything else is done
   * as the server, since the kernel has judged the caller's rights already.
   */
  readonly actAsCaller?: boolean | undefined
  /** Files that are not passed through are read and written without the page cache of the mount. */
  readonly directIo?: boolean | undefined
  /**
   * The kernel keeps what is written for a while (WantedOptions.writebackCache); without passthrough alone. Nobody else
   * must change the source's files: the mount would not see it.
   */
  readonly writebackCache?: boolean | undefined
  /**
   * `auto`: objects are found again by file handle where the source's file system has handles and the process may
   * open them (CAP_DAC_READ_SEARCH). `never`: by parent and name always.
   */
  readonly handles?: 'auto' | 'never' | undefined
  /** Most descriptors held for objects beside open files; default: half of RLIMIT_NOFILE, at most 16384. */
  readonly maxDescriptors?: number | undefined
}
