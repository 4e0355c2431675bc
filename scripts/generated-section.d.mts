export interface Marks {
  readonly begin: string
  readonly end: string
}
export function marksOf(name: string, script: string): Marks
export function replaceSection(document: string, marks: Marks, section: string): string
