// Writes the replay policy of each operation into docs/recovery.md, between the marks; with --check it only tells, by
// its exit status, whether that stands there already. Run `npm run build` first.
import { replayPolicies } from '../dist/session/replay-policy.js'
import { marksOf, writeSection } from './generated-section.mjs'

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

await writeSection({
  name: 'recovery.md',
  marks: marksOf('replay policy', 'replay-policy-table.mjs'),
  section: table(),
  complaint: 'is not what the code says: npm run docs:replay',
})
