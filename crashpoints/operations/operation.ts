import type { Client } from '../run/client.js'
import type { World } from '../run/world.js'

export interface Scene {
  readonly a: Client
  readonly b: Client
  /** A process without privileges. */
  readonly user: Client
  readonly world: World
}

/** One form of an operation, with calls that set the scene and calls that use what it leaves. */
export interface Operation {
  readonly name: string
  readonly before?: (scene: Scene) => Promise<void>
  /** During these calls servers die. */
  readonly during: (scene: Scene) => Promise<void>
  readonly after?: (scene: Scene) => Promise<void>
  /** Its data reaches the server only without passthrough: not played with it. */
  readonly throughServer?: boolean
  /**
   * Takes away the name by which a file of several names was last seen. A successor that finds objects by name does not
   * find it (ESTALE), and the kernel looks it up once more: how often it has done so is then not compared, nor the name.
   */
  readonly losesNameOfMany?: boolean
}
