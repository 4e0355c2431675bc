/**
 * A file system of a directory in which nothing is. Its statfs waits for its caller to be interrupted: as often as the
 * file `deaths` says the server dies of that, then the answer is EINTR. Each step is a line in the file `log`.
 */
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs'
import { fsError } from '../../dist/errors/index.js'

const DIRECTORY = { ino: 1, size: 0, blocks: 0, mode: 0o40755, nlink: 2, uid: 0, gid: 0, rdev: 0 }
const TIMES = { atime: 0, mtime: 0, ctime: 0, atimensec: 0, mtimensec: 0, ctimensec: 0 }

export function createFileSystem({ log, deaths }) {
  const say = (what) => appendFileSync(log, `${what}\n`)
  const interrupted = () => {
    say('interrupted')
    const left = Number(readFileSync(deaths, 'utf8'))
    if (left === 0) return
    writeFileSync(deaths, String(left - 1))
    process.kill(process.pid, 'SIGKILL')
  }
  return {
    start: (host) => host.nodes.addRoot(Buffer.from('root'), new Uint8Array(0)),
    lookup() {
      throw fsError('ENOENT')
    },
    getattr: () => ({ attributes: { ...DIRECTORY, ...TIMES, blksize: 4096, flags: 0 } }),
    statfs: (_node, { signal }) => {
      say('begun')
      return new Promise((_, reject) => {
        signal.addEventListener('abort', () => {
          interrupted()
          reject(fsError('EINTR'))
        })
      })
    },
  }
}
