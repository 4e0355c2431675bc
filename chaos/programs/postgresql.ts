import { chownSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { execFileSync } from 'node:child_process'
import { parsePgbench } from './pgbench-output.js'
import { alarmsIn } from './postgresql-log.js'
import { WrongData, type Program } from './program.js'
import { expectSame, type WorkPlace } from './work-place.js'

const INSTALLED = '/usr/lib/postgresql'
const USER = 'postgres'
const ACCOUNTS = 100_000
const BENCH_S = { first: 5, second: 3 }
const QUICK_BENCH_S = { first: 2, second: 1 }

/** Small buffers and short intervals: much is written, and written back. */
const SETTINGS = [
  `listen_addresses = ''`,
  'shared_buffers = 8MB',
  'max_connections = 20',
  'min_wal_size = 4MB',
  'max_wal_size = 16MB',
  'checkpoint_timeout = 30s',
  'autovacuum_naptime = 2s',
]

const SUMS = `select (select count(*) from pgbench_accounts), (select count(*) from pgbench_history),
  (select sum(abalance) from pgbench_accounts) - (select coalesce(sum(delta), 0) from pgbench_history),
  (select sum(tbalance) from pgbench_tellers) - (select coalesce(sum(delta), 0) from pgbench_history),
  (select sum(bbalance) from pgbench_branches) - (select coalesce(sum(delta), 0) from pgbench_history),
  (select count(*) from pgbench_accounts left join
    (select aid, sum(delta) as change from pgbench_history group by aid) as changes using (aid)
    where abalance <> coalesce(change, 0))`

/** A cluster made on the mount, worked on, crashed, recovered, worked on, checked and stopped. */
export const postgresql: Program = {
  name: 'PostgreSQL',
  counts: 'transactions acknowledged to pgbench',
  prepare: (place) => {
    const { uid, gid } = user()
    for (const folder of [place.source, place.scratch]) chownSync(folder, uid, gid)
  },
  cycle: (place) => new Cluster(place).cycle(),
  abandon: (place) => new Cluster(place).abandon(),
}

class Cluster {
  readonly #place: WorkPlace
  readonly #options: { user: { uid: number; gid: number }; env: Record<string, string> }
  readonly #log: string

  constructor(place: WorkPlace) {
    this.#place = place
    this.#log = join(place.scratch, 'log')
    const env = {
      PATH: `${programs()}:${process.env['PATH'] ?? ''}`,
      LC_ALL: 'C',
      PGHOST: place.scratch,
      PGUSER: USER,
      PGDATABASE: USER,
      PGDATA: join(place.mount, 'data'),
    }
    this.#options = { user: user(), env }
  }

  async cycle(): Promise<number> {
    const seconds = this.#place.isQuick ? QUICK_BENCH_S : BENCH_S
    rmSync(this.#log, { force: true })
    await this.#do(
      'initdb --data-checksums --wal-segsize=1 --locale=C --encoding=UTF8 --auth=trust --username="$PGUSER"',
    )
    await this.#do(
      'cat >> "$PGDATA/postgresql.conf"',
      [...SETTINGS, `unix_socket_directories = '${this.#place.scratch}'`].join('\n'),
    )
    await this.#start()
    await this.#do('pgbench --initialize --quiet --scale=1')
    const first = await this.#bench(seconds.first)
    // As if it had crashed: what was acknowledged comes back from its log of writes.
    await this.#stop('immediate')
    await this.#start()
    await this.#checkSums(first)
    const all = first + (await this.#bench(seconds.second, '--no-vacuum'))
    await this.#stop('fast')
    await this.#start()
    await this.#checkSums(all)
    await this.#check('pg_amcheck', 'pg_amcheck --install-missing --heapallindexed')
    await this.#stop('fast')
    await this.#check('pg_checksums on the mount', 'pg_checksums --check')
    await this.#check('pg_checksums in the source', 'pg_checksums --check -D "$S/data"')
    const alarms = alarmsIn(readFileSync(this.#log, 'utf8'))
    if (alarms.length > 0) throw new WrongData(`the log of PostgreSQL:\n${alarms.join('\n')}`)
    await this.#do('rm -rf "$PGDATA"')
    await this.#check('the removal', '[ -z "$(ls "$S")" ]')
    return all
  }

  /** Its processes are in sessions of their own. */
  async abandon(): Promise<void> {
    const script = 'kill -QUIT "$(head -n 1 "$S/data/postmaster.pid")"'
    await this.#do(script).catch(() => undefined)
  }

  #start(): Promise<string> {
    return this.#do(`pg_ctl start --wait --timeout=100 --log="$T/log"`)
  }

  #stop(mode: 'fast' | 'immediate'): Promise<string> {
    return this.#do(`pg_ctl stop --wait --timeout=100 --mode=${mode}`)
  }

  async #bench(seconds: number, ...flags: readonly string[]): Promise<number> {
    const said = await this.#do(`pgbench --client=4 --time=${seconds} ${flags.join(' ')}`)
    const { processed, failed } = parsePgbench(said)
    if (failed > 0) throw new Error(`pgbench: ${failed} transactions failed`)
    return processed
  }

  /** Every sum is that of the history, and the history has each transaction that was acknowledged. */
  async #checkSums(transactions: number): Promise<void> {
    const said = await this.#check('sums', `psql --no-psqlrc -XAt -c "${SUMS}"`)
    expectSame(
      'accounts, history, and what sums differ by',
      said.trim(),
      `${ACCOUNTS}|${transactions}|0|0|0|0`,
    )
  }

  #do(script: string, input?: string): Promise<string> {
    return this.#place.sh(script, input === undefined ? this.#options : { ...this.#options, input })
  }

  #check(what: string, script: string): Promise<string> {
    return this.#place.check(what, script, this.#options)
  }
}

/** Of the newest version that is installed. */
function programs(): string {
  const versions = readdirSync(INSTALLED).map(Number).filter(Number.isInteger)
  return join(INSTALLED, String(Math.max(...versions)), 'bin')
}

/** It refuses to run as root. */
function user(): { uid: number; gid: number } {
  const id = (flag: string): number => Number(execFileSync('id', [flag, USER], { encoding: 'latin1' }))
  return { uid: id('-u'), gid: id('-g') }
}
