/**
 * Who asks, and what a file system may want to know of the request itself. Valid until the operation has returned
 * or its promise has settled; the object is used again for a later request.
 */
export interface Context {
  /** User and group that the kernel checks for access (fsuid, fsgid), in the mount's user namespace. */
  readonly uid: number
  readonly gid: number
  /** The calling thread in the mount's pid namespace, 0 when it is not visible there. */
  readonly pid: number
  /**
   * Supplementary groups that decide on the group of a new object: sent with requests that create
   * (FUSE_CREATE_SUPP_GROUP, Linux 6.3+) when the caller is a member of the parent's group. Else empty.
   */
  readonly groups: readonly number[]
  /** Name and value of a security label for a new object (FUSE_SECURITY_CTX), when the kernel sends one. */
  readonly securityContext: { readonly name: Uint8Array; readonly value: Uint8Array } | undefined
  /** Aborted when the caller is interrupted by a signal. The operation may go on, or fail with EINTR. */
  readonly signal: AbortSignal
  /**
   * What an earlier life of this server wrote down by `intend` for this very request, if it did. The change may
   * then have been carried out already; compare before doing it again.
   */
  readonly doubt: Uint8Array | undefined
  /**
   * Writes evidence to the journal: what a successor needs to find out whether this request was carried out.
   * Call it before the change. At most MAX_EVIDENCE_BYTES (448).
   */
  intend(evidence: Uint8Array): void
}
