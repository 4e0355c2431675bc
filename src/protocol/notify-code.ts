/** What a server may tell the kernel unasked; the code travels in the `error` of the out header. */
export const NotifyCode = {
  POLL: 1,
  INVAL_INODE: 2,
  INVAL_ENTRY: 3,
  STORE: 4,
  RETRIEVE: 5,
  DELETE: 6,
  /** Linux 6.9. */
  RESEND: 7,
  /** Linux 6.16. */
  INC_EPOCH: 8,
  /** Linux 6.18. */
  PRUNE: 9,
} as const

export type NotifyCodeName = keyof typeof NotifyCode

const names = new Map<number, NotifyCodeName>()
for (const [name, code] of Object.entries(NotifyCode)) names.set(code, name as NotifyCodeName)

/** The name of a notification code; `undefined` for one that FUSE 7.45 does not have. */
export function notifyCodeName(code: number): NotifyCodeName | undefined {
  return names.get(code)
}
