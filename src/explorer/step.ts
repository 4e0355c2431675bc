/**
 * What can happen next, one indivisible step each: whatever else may happen in between is explored. A step is
 * written as a number, kind times 16 plus its subject.
 */
export const Step = {
  /** Subject: process times 2 plus inode. */
  open: 0,
  /** Subject of these: a process. */
  close: 1,
  map: 2,
  unmap: 3,
  write: 4,
  judge: 5,
  readOpen: 6,
  beginOpen: 7,
  note: 8,
  answerOpen: 9,
  readRefused: 10,
  releaseRefused: 11,
  /** Subject of these: a place among the RELEASEs that nobody waits for. */
  readRelease: 12,
  release: 13,
  /** Subject of the rest: 0. */
  closeId: 14,
  settle: 15,
  resend: 16,
  sweep: 17,
  start: 18,
  kill: 19,
  exchange: 20,
} as const

export const kindOf = (step: number): number => step >> 4
export const subjectOf = (step: number): number => step & 15

/** True for what comes about by itself: a kernel, a server or a supervisor has it to do. */
export function isDuty(step: number): boolean {
  const kind = kindOf(step)
  return kind > Step.write && kind < Step.kill
}
