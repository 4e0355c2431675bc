// Writes what `evermount explore` finds into docs/passthrough.md, between the marks; with --check it only tells,
// by its exit status, whether that stands there already. Run `npm run build` first.
import { DEFAULT_SIZES, compare } from '../dist/explorer/comparison.js'
import { toMarkdown } from '../dist/explorer/report.js'
import { marksOf, writeSection } from './generated-section.mjs'

await writeSection({
  name: 'passthrough.md',
  marks: marksOf('explored', 'passthrough-table.mjs'),
  section: toMarkdown([...compare()], DEFAULT_SIZES),
  complaint: 'is not what the explorer finds: npm run docs:passthrough',
})
