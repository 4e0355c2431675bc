// The parts of docs/ that are written by scripts: between two marks of a document, and nothing else of it.
import { readFileSync, writeFileSync } from 'node:fs'

/** The marks of a section, by its name and the script that writes it. */
export function marksOf(name, script) {
  return { begin: `<!-- ${name}: written by scripts/${script} -->`, end: `<!-- end of ${name} -->` }
}

/** A document with what stands between the marks replaced. Throws where it has none. */
export function replaceSection(document, { begin, end }, section) {
  const [from, to] = [document.indexOf(begin), document.indexOf(end)]
  if (from < 0 || to < from) throw new Error(`${begin} and ${end} are missing`)
  return `${document.slice(0, from + begin.length)}\n\n${section.trim()}\n\n${document.slice(to)}`
}

/**
 * Writes a section into a file of docs/; with --check it only tells, by the exit status, whether it stands there
 * already, and with `complaint` why that matters. `finish`: what is done to the whole document at last.
 */
export async function writeSection({ name, marks, section, complaint, finish = (text) => text }) {
  const file = new URL(`../docs/${name}`, import.meta.url)
  const document = readFileSync(file, 'utf8')
  const current = await finish(replaceSection(document, marks, section), file)
  if (!process.argv.includes('--check')) writeFileSync(file, current)
  else if (current !== document) {
    process.stderr.write(`docs/${name} ${complaint}\n`)
    process.exitCode = 1
  }
}
