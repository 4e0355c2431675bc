/** How much is measured. */
export interface Settings {
  readonly kind: 'full' | 'quick'
  /** Interleaved rounds of each piece of work; of file data, where a few hundredths decide; of work that takes seconds. */
  readonly rounds: number
  readonly dataRounds: number
  readonly heavyRounds: number
  /** Seconds of one run of a client or of fio. */
  readonly clientSeconds: number
  readonly fioSeconds: number
  readonly fileMiB: number
  readonly clients: readonly number[]
  /** Files in the large directory. */
  readonly manyFiles: number
  readonly smallFiles: number
  /** Seconds for which the kernel may rely on what it knows, where caches are meant to work. */
  readonly cacheTimeout: number
  readonly takeovers: readonly { readonly nodes: number; readonly kills: number }[]
  readonly journalRounds: number
}

export const FULL: Settings = {
  kind: 'full',
  rounds: 9,
  dataRounds: 9,
  heavyRounds: 5,
  clientSeconds: 1,
  fioSeconds: 2,
  fileMiB: 1024,
  clients: [1, 2, 4],
  manyFiles: 100_000,
  smallFiles: 10_000,
  cacheTimeout: 60,
  takeovers: [
    { nodes: 1_000, kills: 50 },
    { nodes: 100_000, kills: 50 },
    { nodes: 1_000_000, kills: 200 },
  ],
  journalRounds: 41,
}

export const QUICK: Settings = {
  ...FULL,
  kind: 'quick',
  rounds: 3,
  dataRounds: 7,
  heavyRounds: 1,
  clientSeconds: 0.5,
  fioSeconds: 0.5,
  fileMiB: 256,
  takeovers: [
    { nodes: 1_000, kills: 10 },
    { nodes: 100_000, kills: 10 },
    { nodes: 1_000_000, kills: 200 },
  ],
  journalRounds: 31,
}
