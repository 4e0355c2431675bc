import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { MNT, cstring, mount, umount2 } from '../../src/native/index.js'

/**
 * The folder that a run works in. Holds, where the kernel has overlayfs, a file on a stacked file system as well.
 */
export class Scratch {
  readonly directory: string
  readonly mountPoint: string
  /** A file whose file system lies on another; null where that cannot be had. */
  readonly stackedFile: string | null
  readonly #overlay: string
  #scenarios = 0

  /** `parent`: an existing directory. */
  constructor(parent: string) {
    this.directory = mkdtempSync(join(parent, 'evermount-conformance-'))
    // Other users than this one make calls on the mount as well.
    chmodSync(this.directory, 0o755)
    this.mountPoint = join(this.directory, 'mount')
    mkdirSync(this.mountPoint)
    this.#overlay = join(this.directory, 'overlay')
    this.stackedFile = this.#stack()
  }

  /** A new folder for the backing files of one scenario. */
  folder(): string {
    const folder = join(this.directory, String(++this.#scenarios))
    mkdirSync(folder)
    return folder
  }

  remove(): void {
    if (this.stackedFile !== null) umount2(cstring(this.#overlay), MNT.DETACH)
    rmSync(this.directory, { recursive: true, force: true })
  }

  #stack(): string | null {
    const layers = ['lower', 'upper', 'work'].map((name) => join(this.directory, name))
    for (const folder of [...layers, this.#overlay]) mkdirSync(folder)
    const [lower, upper, work] = layers as [string, string, string]
    writeFileSync(join(lower, 'file'), 'on a stacked file system')
    const data = `lowerdir=${lower},upperdir=${upper},workdir=${work}`
    const result = mount(cstring('overlay'), cstring(this.#overlay), cstring('overlay'), 0, cstring(data))
    return result === 0 ? join(this.#overlay, 'file') : null
  }
}
