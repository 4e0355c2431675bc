import { writeSync } from 'node:fs'
import { isFuseError } from '../errors/index.js'

/** Whether a command answers for people or, with `--json`, with one JSON document on its standard output. */
export interface OutputOptions {
  readonly json?: boolean | undefined
}

/** Writes all of it before it returns: process.exit() must not cut off what goes into a pipe. */
function put(fd: number, text: string): void {
  let rest = Buffer.from(text)
  while (rest.length > 0) {
    try {
      rest = rest.subarray(writeSync(fd, rest))
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      // Nobody reads any more.
      if (code === 'EPIPE') return
      if (code !== 'EAGAIN') throw error
    }
  }
}

/** The answer of a command: `value` with `--json`, else the lines. */
export function answer(options: OutputOptions, value: unknown, lines: readonly string[]): void {
  put(
    1,
    options.json === true ? `${JSON.stringify(value, null, 2)}\n` : lines.map((line) => `${line}\n`).join(''),
  )
}

/** A word to the operator beside the answer, on standard error. */
export function remark(...lines: readonly string[]): void {
  put(2, lines.map((line) => `evermount: ${line}\n`).join(''))
}

/** What went wrong and what to do about it, on two lines of standard error. */
export function complain(error: unknown): void {
  const message = error instanceof Error ? error.message : String(error)
  const remedy = isFuseError(error) ? error.remedy : undefined
  put(2, `evermount: ${message}\n${remedy === undefined ? '' : `${remedy}\n`}`)
}

/** The JSON document of a command that failed. */
export function answerFailure(error: unknown): void {
  const known = isFuseError(error)
  const failure = {
    code: known ? error.code : 'ERR_UNKNOWN',
    message: error instanceof Error ? error.message : String(error),
    remedy: known ? (error.remedy ?? null) : null,
  }
  answer({ json: true }, { error: failure }, [])
}

/** Rows with their columns below each other; the last column is not padded. */
export function table(rows: readonly (readonly string[])[]): string[] {
  const widths: number[] = []
  for (const row of rows) {
    for (const [column, cell] of row.entries()) widths[column] = Math.max(widths[column] ?? 0, cell.length)
  }
  return rows.map((row) =>
    row
      .map((cell, column) => (column === row.length - 1 ? cell : cell.padEnd(widths[column] ?? 0)))
      .join('  ')
      .trimEnd(),
  )
}
