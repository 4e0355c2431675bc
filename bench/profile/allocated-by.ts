import { placeOf, type CallFrame } from './call-frame.js'

/** A heap profile as V8's inspector gives it. */
export interface HeapProfile {
  readonly head: HeapNode
}

interface HeapNode {
  readonly callFrame: CallFrame
  /** Bytes allocated by the function itself, estimated. */
  readonly selfSize: number
  readonly children: readonly HeapNode[]
}

/** Bytes allocated by each function itself; the most first. Native ones count as the function that calls them. */
export function allocatedBy({ head }: HeapProfile): { where: string; bytes: number }[] {
  const bytes = new Map<string, number>()
  const visit = ({ callFrame, selfSize, children }: HeapNode, caller: string): void => {
    const where = callFrame.url === '' ? caller : placeOf(callFrame)
    if (selfSize > 0) bytes.set(where, (bytes.get(where) ?? 0) + selfSize)
    for (const child of children) visit(child, where)
  }
  visit(head, '(root)')
  return [...bytes].map(([where, count]) => ({ where, bytes: count })).sort((a, b) => b.bytes - a.bytes)
}
