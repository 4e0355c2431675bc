/** A function as V8's inspector names it. */
export interface CallFrame {
  readonly functionName: string
  /** Empty for a native function. */
  readonly url: string
  /** From 0 on. */
  readonly lineNumber: number
}

/** Function, file and line. */
export function placeOf({ functionName, url, lineNumber }: CallFrame): string {
  const file = url.replace(/^.*\/(dist|node_modules)\//, '')
  return `${functionName === '' ? '(anonymous)' : functionName} ${file}:${lineNumber + 1}`
}
