import type { RuleId } from '../kernel-model/rules.js'

/** What a step came to, beside the state that it led to. */
export interface Outcome {
  /** The rule by which the kernel judged an open; undefined: it judged none. */
  rule: RuleId | undefined
  refused: boolean
  /** Admitted, with another file than the one whose registration the server named. */
  otherThanNamed: boolean
  /** A count of the server went below zero. */
  underflow: boolean
}
