import type { RuleId } from '../src/kernel-model/rules.js'

/** What a call came to. */
export type Outcome =
  | { readonly value: unknown }
  /** The name of an errno. */
  | { readonly error: string }
  /** It has not returned. */
  | { readonly blocked: true }
  /** The process was blocked, or dead, and could not make it. */
  | { readonly skipped: string }

/** A request as the server received it: what of it must be the same on every kernel. */
export interface LoggedRequest {
  readonly opcode: string
  readonly nodeid: number
  readonly resent?: true
  /** The result of writing the answer, where that is of interest: a negated errno by name. */
  readonly refused?: string
  readonly [field: string]: unknown
}

/** One step as it was played. */
export interface StepTrace {
  readonly outcome: Outcome
  /** What the server received because of it, in order. */
  readonly requests: readonly LoggedRequest[]
  /** Earlier calls that have returned since, by process. */
  readonly settled: Readonly<Record<number, Outcome>>
  /** How often the model met its rules. */
  readonly met?: Readonly<Partial<Record<RuleId, number>>>
}

export type Trace = readonly StepTrace[]
