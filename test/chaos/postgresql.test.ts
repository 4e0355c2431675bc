import { describe, expect, it } from 'vitest'
import { parsePgbench } from '../../chaos/programs/pgbench-output.js'
import { alarmsIn } from '../../chaos/programs/postgresql-log.js'

/** As pgbench 15 says it. */
const SAID = `pgbench (15.18 (Debian 15.18-0+deb12u1))
transaction type: <builtin: TPC-B (sort of)>
scaling factor: 1
query mode: simple
number of clients: 4
number of threads: 1
maximum number of tries: 1
duration: 5 s
number of transactions actually processed: 1234
number of failed transactions: 2 (0.162%)
latency average = 12.3 ms
tps = 246.8 (without initial connection time)
`

describe('what pgbench says', () => {
  it('has the transactions it was told are done, and those that failed', () => {
    expect(parsePgbench(SAID)).toEqual({ processed: 1234, failed: 2 })
  })

  it('is not guessed', () => {
    expect(() => parsePgbench(SAID.replace(/^number of failed.*$/m, ''))).toThrow('failed transactions')
    expect(() => parsePgbench('')).toThrow('actually processed')
  })
})

describe('alarms in a log of PostgreSQL', () => {
  const at = '2026-11-25 23:00:00.000 UTC [1234]'

  it.each([
    `${at} PANIC:  could not fdatasync file "000000010000000000000003": Input/output error`,
    `${at} ERROR:  invalid page in block 7 of relation base/5/16384`,
    `${at} FATAL:  could not open file "global/pg_filenode.map": No such file or directory`,
    `${at} WARNING:  page verification failed, calculated checksum 1 but expected 2, corrupt`,
    `${at} LOG:  could not rename file "a" to "b": No such file or directory`,
  ])('%s', (line) => {
    expect(alarmsIn(`${at} LOG:  starting PostgreSQL\n${line}\n`)).toEqual([line])
  })

  it.each([
    `${at} LOG:  database system was not properly shut down; automatic recovery in progress`,
    `${at} LOG:  invalid record length at 0/1D8F2C8: wanted 24, got 0`,
    `${at} FATAL:  terminating autovacuum process due to administrator command`,
    `${at} ERROR:  canceling autovacuum task`,
  ])('none: %s', (line) => {
    expect(alarmsIn(line)).toEqual([])
  })
})
