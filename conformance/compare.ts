import { isDeepStrictEqual } from 'node:util'
import type { LoggedRequest, StepTrace, Trace } from './outcome.js'

/** What two worlds made differently of one step. */
export interface Difference {
  /** 0 is the mount, then the scenario's steps from 1 on. */
  readonly step: number
  readonly what: 'outcome' | 'settled' | 'requests'
  readonly model: unknown
  readonly real: unknown
}

/**
 * Requests that nobody waits for: sent from a work queue, a task's exit, or with a batch. Their order, among each other
 * and against what is asked meanwhile, is not the kernel's promise. RELEASE is one of them except after a refused open;
 * FORGETs come from a queue of their own and are batched as the reading server finds them.
 */
const IN_BACKGROUND: ReadonlySet<string> = new Set(['RELEASE', 'RELEASEDIR', 'FORGET', 'INTERRUPT'])

/** The requests of a step: those whose order counts, and the others as a sorted list. */
interface Ordered {
  readonly inOrder: readonly LoggedRequest[]
  readonly anyOrder: readonly string[]
}

function ordered(requests: readonly LoggedRequest[], concurrent: boolean): Ordered {
  const inOrder: LoggedRequest[] = []
  const anyOrder: string[] = []
  for (const request of requests.flatMap(singleForgets)) {
    // RESEND does not keep the order in which requests were first sent.
    const isFree = concurrent || request.resent === true || IN_BACKGROUND.has(request.opcode)
    if (isFree) anyOrder.push(canonical(request))
    else inOrder.push(request)
  }
  return { inOrder, anyOrder: anyOrder.sort() }
}

/** BATCH_FORGET as the FORGETs that it stands for. */
function singleForgets(request: LoggedRequest): readonly LoggedRequest[] {
  if (request.opcode !== 'BATCH_FORGET') return [request]
  const forgets = request['forgets'] as readonly (readonly [number, number])[]
  return forgets.map(([nodeid, nlookup]) => ({ opcode: 'FORGET', nodeid, nlookup }))
}

function canonical(request: LoggedRequest): string {
  return JSON.stringify(Object.fromEntries(Object.entries(request).sort(([a], [b]) => (a < b ? -1 : 1))))
}

/** Steps during which a call was blocked: requests of several processes may then meet. */
function concurrentSteps(trace: Trace): boolean[] {
  let blocked = 0
  return trace.map(({ outcome, settled }) => {
    const before = blocked
    if ('blocked' in outcome) blocked++
    blocked -= Object.keys(settled).length
    return before > 0
  })
}

/** The differences between what the model and a real kernel made of a scenario, first step first. */
export function compare(model: Trace, real: Trace): Difference[] {
  const concurrent = concurrentSteps(model)
  const differences: Difference[] = []
  for (let step = 0; step < Math.max(model.length, real.length); step++) {
    differences.push(...compareStep(step, model[step], real[step], concurrent[step] ?? false))
  }
  return differences
}

function compareStep(
  step: number,
  model: StepTrace | undefined,
  real: StepTrace | undefined,
  concurrent: boolean,
): Difference[] {
  if (model === undefined || real === undefined) return [{ step, what: 'outcome', model, real }]
  const differences: Difference[] = []
  if (!isDeepStrictEqual(model.outcome, real.outcome)) {
    differences.push({ step, what: 'outcome', model: model.outcome, real: real.outcome })
  }
  if (!isDeepStrictEqual(model.settled, real.settled)) {
    differences.push({ step, what: 'settled', model: model.settled, real: real.settled })
  }
  const [ofModel, ofReal] = [ordered(model.requests, concurrent), ordered(real.requests, concurrent)]
  if (!isDeepStrictEqual(ofModel, ofReal)) {
    differences.push({ step, what: 'requests', model: model.requests, real: real.requests })
  }
  return differences
}
