/** The bytes of a state, and the same as words: what is copied and compared as a whole goes four bytes at a time. */
export class State {
  readonly bytes: Uint8Array
  readonly words: Uint32Array

  /** `bytes`: a multiple of four. */
  constructor(bytes: number) {
    const buffer = new ArrayBuffer(bytes)
    this.bytes = new Uint8Array(buffer)
    this.words = new Uint32Array(buffer)
  }
}
