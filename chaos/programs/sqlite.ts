import type { Program } from './program.js'
import { expectSame, type WorkPlace } from './work-place.js'

const MODES = ['wal', 'delete'] as const
const transactionsOf = ({ isQuick }: WorkPlace): number => (isQuick ? 40 : 120)
const ROWS = 5
/** Waits for others, over many takeovers. */
const BUSY_MS = 60_000
const KILLED_AFTER_S = 1.5

const SCHEMA = `
create table item(writer integer, n integer, payload text, primary key(writer, n));
create table total(writer integer primary key, transactions integer);
insert into total values (1, 0), (2, 0), (3, 0);
`

/** Content that says which row it belongs to. */
const PAYLOAD = `printf('%d of %d, %.*c', n, writer, 300 + n % 100, 'x')`

/** Each transaction adds rows and counts itself; it is acknowledged by its number on standard output. */
function writes(writer: number, count: number): string {
  const setting = `.timeout ${BUSY_MS}\npragma synchronous = full;\n`
  const transactions = Array.from({ length: count }, (_, turn) => {
    const rows = Array.from({ length: ROWS }, (__, row) => `(${writer}, ${turn * ROWS + row})`)
    return `begin immediate;
with added(writer, n) as (values ${rows.join(', ')}) insert into item select writer, n, ${PAYLOAD} from added;
update total set transactions = transactions + 1 where writer = ${writer};
commit;
select ${turn + 1};`
  })
  return setting + transactions.join('\n')
}

const STATE = `select writer, transactions, (select count(*) from item where item.writer = total.writer) from total;
select count(*) from item where payload <> ${PAYLOAD};
pragma integrity_check;`

/** Three writers at once, of which one is killed; what they were told is done must be there, and nothing half done. */
export const sqlite: Program = {
  name: 'SQLite',
  counts: 'transactions acknowledged',
  cycle: async (place) => {
    let acknowledged = 0
    for (const mode of MODES) acknowledged += await cycleIn(place, mode)
    return acknowledged
  },
}

async function cycleIn(place: WorkPlace, mode: (typeof MODES)[number]): Promise<number> {
  const count = transactionsOf(place)
  const opening = `.timeout ${BUSY_MS}\npragma journal_mode = ${mode};\n${SCHEMA}`
  expectSame('journal mode', await place.sh('sqlite3 -bail "$M/base"', { input: opening }), `${mode}\n`)
  const written = await Promise.all([
    place.sh('sqlite3 -bail "$M/base"', { input: writes(1, count) }),
    place.sh('sqlite3 -bail "$M/base"', { input: writes(2, count) }),
    // A program that is killed itself: what it had begun is rolled back by the next one.
    place.sh(`timeout -s KILL ${KILLED_AFTER_S} sqlite3 -bail "$M/base" || [ $? = 137 ]`, {
      input: writes(3, count),
    }),
  ])
  const acknowledged = written.map((said) => Number(said.trim().split('\n').at(-1)))
  for (const folder of ['$M', '$S']) {
    const said = await place.check('SQLite', `sqlite3 -bail "${folder}/base"`, {
      input: `.timeout ${BUSY_MS}\n${STATE}`,
    })
    verify(said, acknowledged, count)
  }
  await place.sh('rm "$M"/base*')
  await place.check('the removal', '[ -z "$(ls "$S")" ]')
  return acknowledged.reduce((sum, count) => sum + count, 0)
}

function verify(said: string, acknowledged: readonly number[], count: number): void {
  const lines = said.trim().split('\n')
  const counts = lines.slice(0, 3).map((line) => line.split('|').map(Number))
  for (const [index, [writer, transactions = 0, rows]] of counts.entries()) {
    const least = acknowledged[index] ?? 0
    expectSame('writer', writer, index + 1)
    expectSame(`rows of writer ${index + 1}`, rows, transactions * ROWS)
    if (index < 2) expectSame(`acknowledged to writer ${index + 1}`, [transactions, least], [count, count])
    // Told before it was killed, or not any more.
    else
      expectSame(
        `${transactions} transactions, at least the ${least} acknowledged`,
        transactions >= least,
        true,
      )
  }
  expectSame('rows with another content, integrity_check', lines.slice(3), ['0', 'ok'])
}
