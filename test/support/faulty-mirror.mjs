/**
 * A mirror whose server dies where a test wants it to. Loaded by the server process in place of the mirror; what it
 * wraps is the product as it is. A test makes a file in the directory `faults`, named after a point:
 *
 *     OPERATION.before     the operation has been called and has done nothing
 *     OPERATION.intended   its evidence is in the journal, and nothing is changed
 *     OPERATION.done       the source is changed, nothing is said of it
 *     OPERATION.committed  the answer is made, the kernel does not have it
 *     OPERATION.answered   the kernel has it, the journal does not say so
 *     read.OPCODE          a request has been read, and not been looked at
 *     load, start          the process is being made ready
 *     takeOver             it has been told to take over
 *
 * Reaching the point removes the file and kills the process; with `always` in it the file stays. With `throw` the
 * point fails instead, with `stop` the process is stopped, with `exit` it ends by itself. OPERATION.hang is a point of
 * operations that return a promise: it is not settled as long as the file is there.
 */
import { existsSync, readFileSync, unlinkSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { Mirror } from '../../dist/filesystems/mirror/index.js'
import { Session } from '../../dist/session/session.js'
import { DeviceTransport } from '../../dist/transport/device.js'

let faults = ''
/** The operation whose answer is written next. */
let answering

function reach(point) {
  const path = join(faults, point)
  if (!existsSync(path)) return
  const how = readFileSync(path, 'utf8')
  if (!how.includes('always')) unlinkSync(path)
  if (how.includes('throw')) throw new Error(`a fault at ${point}`)
  if (how.includes('exit')) process.exit(3)
  process.kill(process.pid, how.includes('stop') ? 'SIGSTOP' : 'SIGKILL')
}

async function gone(point) {
  while (existsSync(join(faults, point))) await delay(20)
}

const OPERATIONS = [
  ...['lookup', 'getattr', 'statx', 'setattr', 'access', 'readlink', 'symlink', 'mknod', 'mkdir', 'unlink'],
  ...['rmdir', 'rename', 'link', 'open', 'reopen', 'create', 'tmpfile', 'read', 'write', 'flush', 'release'],
  ...['fsync', 'fallocate', 'lseek', 'copyFileRange', 'opendir', 'reopendir', 'readdir', 'releasedir'],
  ...['fsyncdir', 'statfs', 'syncfs', 'getxattr', 'listxattr', 'setxattr', 'removexattr', 'forget'],
]
/** Not requests: no answer follows. */
const INNER = ['reopen', 'reopendir', 'forget']

function wrap(mirror, operation) {
  const original = mirror[operation]
  const done = () => {
    reach(`${operation}.done`)
    if (!INNER.includes(operation)) answering = operation
  }
  mirror[operation] = function (...given) {
    reach(`${operation}.before`)
    const context = given.find((argument) => typeof argument?.intend === 'function')
    if (context !== undefined) {
      context.intend = function (evidence) {
        Object.getPrototypeOf(this).intend.call(this, evidence)
        reach(`${operation}.intended`)
      }
    }
    let result
    try {
      result = original.apply(this, given)
    } catch (error) {
      done()
      throw error
    }
    if (!(result instanceof Promise)) {
      done()
      return result
    }
    return result.then((value) => gone(`${operation}.hang`).then(() => value)).finally(done)
  }
}

const { read, write } = DeviceTransport.prototype
DeviceTransport.prototype.read = function (buffer, offset = 0) {
  const length = read.call(this, buffer, offset)
  if (length > 0) {
    const opcode = new DataView(buffer.buffer, buffer.byteOffset + offset).getUint32(4, true)
    reach(`read.${opcode}`)
    if (opcode === 26) answering = 'INIT'
  }
  return length
}
DeviceTransport.prototype.write = function (buffer, length) {
  const operation = answering
  answering = undefined
  if (operation !== undefined) reach(`${operation}.committed`)
  const result = write.call(this, buffer, length)
  if (operation !== undefined) reach(`${operation}.answered`)
  return result
}

const { takeOver } = Session.prototype
Session.prototype.takeOver = function () {
  reach('takeOver')
  takeOver.call(this)
}

class FaultyMirror extends Mirror {
  constructor(options) {
    super(options)
    for (const operation of OPERATIONS) wrap(this, operation)
  }

  start(host) {
    reach('start')
    super.start(host)
  }
}

export function createFileSystem(options) {
  faults = options.faults
  reach('load')
  return new FaultyMirror(options.mirror)
}
