// Writes the numbered rules of src/kernel-model into docs/kernel-model.md, between the marks; with --check it only
// tells, by its exit status, whether they stand there already. Run `npm run build` first.
import { readFileSync, readdirSync } from 'node:fs'
import { format, resolveConfig } from 'prettier'
import { rules } from '../dist/kernel-model/rules.js'
import { marksOf, writeSection } from './generated-section.mjs'

/** What the letters stand for, in the order of rules.ts. */
const subjects = {
  B: 'Registrations of backing files',
  I: 'INIT',
  D: 'The device, and the death of a server',
  N: 'Notifications',
  R: 'Replies that are refused',
  O: 'Judging an open',
  C: 'Closing',
  W: 'Reads, writes and mappings',
  A: 'Attributes',
  E: 'Entries of directories',
  P: 'Permissions',
}

const model = new URL('../src/kernel-model/', import.meta.url)
const sources = new Map(
  readdirSync(model, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts') && path !== 'rules.ts')
    .sort()
    .map((path) => [path, readFileSync(new URL(path, model), 'utf8')]),
)

await writeSection({
  name: 'kernel-model.md',
  marks: marksOf('rules', 'rules-table.mjs'),
  section: tables(),
  complaint: 'does not have the rules of rules.ts: npm run docs:rules',
  finish: async (text, file) => format(text, { ...(await resolveConfig(file)), parser: 'markdown' }),
})

function tables() {
  const letters = new Set(Object.keys(rules).map(letterOf))
  return [...letters].map(table).join('\n\n')
}

function table(letter) {
  const subject = subjects[letter]
  if (subject === undefined) throw new Error(`what is ${letter} about?`)
  const rows = Object.entries(rules).filter(([rule]) => letterOf(rule) === letter)
  const lines = rows.map(
    ([rule, text]) => `| ${rule} | ${text.replaceAll('|', '\\|')} | ${carriedOutIn(rule)} |`,
  )
  return [`### ${letter}: ${subject}`, '', '| rule | | carried out in |', '| - | - | - |', ...lines].join(
    '\n',
  )
}

function letterOf(rule) {
  return rule[0]
}

/** The files in which code says that it carries a rule out. */
function carriedOutIn(rule) {
  const found = [...sources]
    .filter(([, source]) => source.includes(`'${rule}'`))
    .map(([path]) => `\`${path}\``)
  if (found.length === 0) throw new Error(`nothing in src/kernel-model carries ${rule} out`)
  return found.join(', ')
}
