import type { Journal } from '../../src/journal/journal.js'
import type { Client, User } from './client.js'

/** The servers of a mount, one life after another. */
export interface Lives {
  /** Where lives have ended since the world was made, in words. */
  readonly deaths: readonly string[]
  /** Steps of the life at hand since it was armed, or since it began. */
  readonly steps: number
  /** Requests that were answered with EIO because servers had been killed in the midst of them too often. */
  countPoisoned(): Promise<number>
  /** The serving life ends after so many steps, its successor after so many of its own, and so on. */
  arm(plan: readonly number[]): void
  /** What has not ended by now lives on. */
  disarm(): void
  /** Resolves when nobody waits, nothing is in hand and the server is idle. Throws when that never comes. */
  settle(): Promise<void>
  /** Waits for calls under way. Throws when one of them waits for ever. */
  finish<T>(calls: Promise<T>): Promise<T>
}

/** A mount of an empty directory by a mirror, with processes that use it: on the modelled kernel, or on the real one. */
export interface World {
  /** The directory that is mirrored. */
  readonly source: string
  readonly server: Lives
  readonly journal: Journal
  /** A process; the same name gives the same one. */
  client(name: string, user?: User): Client
  /** Has the kernel forget what nobody uses. */
  dropCaches(): Promise<void>
  /** The same once nobody uses anything, until all is forgotten, or has not been for so long that it never will be. */
  forgetAll(): Promise<void>
  /** Until the server has read a request and not answered it, if that comes to be seen at all. */
  untilInHand(): Promise<void>
  /** Where the kernel and the journal disagree about what the kernel has been told: nothing, if all is well. */
  disagreements(): Promise<readonly string[]>
  /** Descriptors of objects without a name that are kept for successors. */
  keptDescriptors(): Promise<number>
  /** Ends every call that waits. */
  abort(): void
  /** Throws when something is left. */
  end(): Promise<void>
}
