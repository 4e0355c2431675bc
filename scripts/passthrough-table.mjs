// Writes what `evermount explore` finds into docs/passthrough.md, between the marks; with --check it only tells,
// by its exit status, whether that stands there already. Run `npm run build` first.
import { readFileSync, writeFileSync } from 'node:fs'
import { DEFAULT_SIZES, compare } from '../dist/explorer/comparison.js'
import { toMarkdown } from '../dist/explorer/report.js'
import { replaceSection } from '../dist/explorer/section.js'

const file = new URL('../docs/passthrough.md', import.meta.url)
const document = readFileSync(file, 'utf8')
const current = replaceSection(document, toMarkdown([...compare()], DEFAULT_SIZES))
if (!process.argv.includes('--check')) writeFileSync(file, current)
else if (current !== document) {
  process.stderr.write('docs/passthrough.md is not what the explorer finds: npm run docs:passthrough\n')
  process.exitCode = 1
}
