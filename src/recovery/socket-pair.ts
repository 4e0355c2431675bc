import { FuseError } from '../errors/fuse-error.js'
import { socketpair } from '../native/index.js'

/** Two connected sockets, both close-on-exec. Throws ERR_SYSCALL without descriptors for them. */
export function socketPair(kind: number): [ours: number, theirs: number] {
  const pair = new Int32Array(2)
  const made = socketpair(pair, kind)
  if (made < 0) throw new FuseError('ERR_SYSCALL', { syscall: 'socketpair', errno: -made })
  return [pair[0]!, pair[1]!]
}
