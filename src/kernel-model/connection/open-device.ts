import { Errno } from '../../errors/errno.js'
import { MIN_READ_BUFFER } from '../../protocol/constants.js'
import { InHeader } from '../../protocol/structs/header.js'
import { WriteIn } from '../../protocol/structs/io.js'
import { checkError, checkHeader, judgeAnswer } from './answer.js'
import type { Connection } from './connection.js'
import { readUnique, type DriverRequest } from './driver-request.js'
import { ProcessingList } from './processing-list.js'

/**
 * One open file of /dev/fuse on a connection (struct fuse_dev): what has been read through it must be answered through
 * it, and ends with it. Descriptors of it, in any process, are counted.
 */
export class OpenDevice {
  readonly connection: Connection
  readonly processing = new ProcessingList()
  #descriptors = 0

  constructor(connection: Connection) {
    this.connection = connection
  }

  addDescriptor(): void {
    this.#descriptors++
  }

  dropDescriptor(): void {
    if (--this.#descriptors === 0) this.connection.releaseDevice(this)
  }

  /** Length of what was read, 0 if there is nothing, or a negated errno (fuse_dev_do_read). */
  read(into: Uint8Array): number {
    const { connection } = this
    const { log, queue, agreement } = connection
    if (into.length < Math.max(MIN_READ_BUFFER, InHeader.size + WriteIn.size + (agreement?.maxWrite ?? 0))) {
      log.met('D8')
      return -Errno.EINVAL
    }
    for (;;) {
      if (!connection.isConnected) {
        log.met('D7')
        return connection.isAborted ? -Errno.ECONNABORTED : -Errno.ENODEV
      }
      if (queue.isEmpty) return 0
      const taken = queue.take(into.length, connection.batchesForgets)
      if (taken.kind === 'too small') continue
      const bytes = taken.kind === 'bytes' ? taken.bytes : taken.request.bytes
      into.set(bytes)
      if (taken.kind === 'request') this.#process(taken.request)
      return bytes.length
    }
  }

  /** 0 or a negated errno; a promise for a notification that waits for a lock. Takes over the bytes. */
  write(bytes: Uint8Array): number | Promise<number> {
    const { connection } = this
    const { log, queue } = connection
    const invalid = checkHeader(bytes, log)
    if (invalid !== 0) return invalid
    const unique = readUnique(bytes)
    if (unique.id === 0 && !unique.resent) return connection.notified(bytes)
    const wrong = checkError(bytes, log)
    if (wrong !== 0) return wrong
    const isForInterrupt = unique.id % 2 === 1
    const sought = { ...unique, id: unique.id - (isForInterrupt ? 1 : 0) }
    const request = this.processing.find(sought)
    if (request === undefined) {
      log.met(connection.isReadElsewhere(sought) ? 'D2' : 'R3')
      return -Errno.ENOENT
    }
    if (isForInterrupt) return connection.answeredInterrupt(request, bytes)
    this.processing.remove(request)
    queue.dropInterrupt(request)
    const { result, reply } = judgeAnswer(request, bytes, connection.nameMax, log)
    request.end(reply)
    return result
  }

  #process(request: DriverRequest): void {
    const { log, queue } = this.connection
    if (request.opcode === 'NOTIFY_REPLY') {
      request.end({ opcode: request.opcode, unique: 0, error: 0, body: null })
      return
    }
    request.state = 'read'
    this.processing.add(request)
    if (!request.interrupted) return
    if (request.unique.resent) log.met('N2')
    queue.interrupt(request)
  }
}
