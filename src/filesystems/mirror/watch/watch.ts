import { setTimeout as delay } from 'node:timers/promises'
import type { Host } from '../../../filesystem/host.js'
import { FAN, Waiter, fanotifyEvents, read, type FanotifyEvent } from '../../../native/index.js'
import { AbsentNames } from './absent-names.js'
import type { HandleNodes } from './handle-nodes.js'
import { Invalidations } from './invalidations.js'

/** A name came, went, or leads to something else. */
const NAMES = FAN.CREATE | FAN.DELETE | FAN.MOVED_FROM | FAN.MOVED_TO
/** Of the object: moving one changes its ctime. A link more or less is told as ATTRIB of its own. */
const OBJECT = FAN.MODIFY | FAN.ATTRIB | FAN.CLOSE_WRITE | FAN.MOVED_TO

/**
 * Between one look at the queue and the next. What a process does to one object meanwhile comes as one event, so a
 * client that writes through the kernel without pause costs a hundred events a second, not one for each write.
 */
const PAUSE_MS = 10
/** An event that is told by mask alone. */
const LEAST_BYTES = 24

/** Host.memory: the set of absent names, then the events at hand. */
export function absentNames(host: Host): AbsentNames {
  return new AbsentNames(host.memory.subarray(0, AbsentNames.BYTES))
}

function eventMemory(host: Host): Uint8Array {
  return host.memory.subarray(AbsentNames.BYTES)
}

/**
 * Tells the kernel what is changed in the source beside the mount.
 *
 * The descriptor is held by the supervisor, so changes are queued while no server runs. They are read into memory that
 * outlives this process, and stay there until the kernel has been told: a successor finds those that its predecessor was
 * at, and tells them again. An event begins with its length, so the memory is cleared before each read, and what is not
 * zero at the beginning is to be told.
 *
 * `fd`: of watchFileSystem, shared by all lives.
 */
export class Watch {
  readonly #fd: number
  readonly #host: Host
  readonly #handles: HandleNodes
  readonly #invalidations: Invalidations
  readonly #absent: AbsentNames
  readonly #memory: Uint8Array
  #waiter: Waiter | undefined

  constructor(fd: number, host: Host, handles: HandleNodes, absent: AbsentNames) {
    this.#fd = fd
    this.#host = host
    this.#handles = handles
    this.#absent = absent
    this.#memory = eventMemory(host)
    this.#invalidations = new Invalidations(host)
  }

  /** From now on this process is the one that reads. */
  start(): void {
    const waiter = new Waiter([this.#fd])
    this.#waiter = waiter
    void this.#run(waiter)
  }

  /** Another process may read from now on. What is being told stays in the memory for it. */
  pause(): void {
    this.#waiter?.close()
    this.#waiter = undefined
  }

  stop(): void {
    this.pause()
    this.#invalidations.stop()
  }

  /** Once the waiter is another one, or none, the memory is another process's. */
  async #run(waiter: Waiter): Promise<void> {
    while (this.#waiter === waiter) {
      await this.#tell()
      if (this.#waiter !== waiter) return
      this.#memory.fill(0)
      if (read(this.#fd, this.#memory) >= LEAST_BYTES) continue
      await delay(PAUSE_MS, undefined, { ref: false })
      if (this.#waiter === waiter) await waiter.wait()
    }
  }

  /** Tells the kernel of the events in the memory. */
  async #tell(): Promise<void> {
    this.#handles.forgetUnknown()
    let isLost = false
    for (const event of fanotifyEvents(this.#memory)) {
      if (event === undefined || (event.mask & FAN.Q_OVERFLOW) !== 0) isLost = true
      else this.#add(event)
    }
    await this.#invalidations.flush()
    if (isLost) await this.#host.notifier.invalidateEverything().catch(() => undefined)
  }

  #add({ mask, pid, object, directory, name }: FanotifyEvent): void {
    // Done at the kernel's own request. Writes that it passes through come with their caller's number: they are told.
    if (pid === process.pid) return
    if ((mask & NAMES) !== 0 && directory !== undefined && name !== undefined) {
      const parent = this.#handles.find(directory)
      if (parent !== 0) {
        this.#invalidations.addNode(parent)
        if ((mask & NAMES) !== FAN.CREATE || this.#absent.mayHave(parent, name)) {
          this.#invalidations.addEntry(parent, name)
        }
      }
    }
    if ((mask & OBJECT) === 0 || object === undefined) return
    const node = this.#handles.find(object)
    if (node !== 0) this.#invalidations.addNode(node)
  }
}
