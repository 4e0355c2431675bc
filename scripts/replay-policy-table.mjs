// Writes the replay policy of each operation into docs/recovery.md, between the marks; with --check it only tells, by
// its exit status, whether that stands there already. Run `npm run build` first.
import { readFileSync, writeFileSync } from 'node:fs'
import { replayPolicies } from '../dist/session/replay-policy.js'

const BEGIN = '<!-- replay policy: written by scripts/replay-policy-table.mjs -->'
const END = '<!-- end of replay policy -->'
const kinds = {
  repeat: 'done again',
  count: 'done again, counted once',
  intent: 'intent and outcome',
  unanswered: 'no answer',
  session: 'not done again',
}

function table() {
  const rows = [['operation', 'policy', 'why, and what it is decided from']]
  for (const [name, { kind, because }] of Object.entries(replayPolicies))
    rows.push([name, kinds[kind], because])
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)))
  const line = (cells, fill = ' ') =>
    `| ${cells.map((cell, at) => cell.padEnd(widths[at], fill)).join(' | ')} |`
  const [head, ...body] = rows
  return [line(head), line(['', '', ''], '-'), ...body.map((row) => line(row))].join('\n')
}

const file = new URL('../docs/recovery.md', import.meta.url)
const document = readFileSync(file, 'utf8')
const begin = document.indexOf(BEGIN)
const end = document.indexOf(END)
if (begin < 0 || end < begin) throw new Error(`docs/recovery.md lacks its marks: ${BEGIN}, ${END}`)
const current = `${document.slice(0, begin + BEGIN.length)}\n\n${table()}\n\n${document.slice(end)}`
if (!process.argv.includes('--check')) writeFileSync(file, current)
else if (current !== document) {
  process.stderr.write('docs/recovery.md is not what the code says: npm run docs:replay\n')
  process.exitCode = 1
}
