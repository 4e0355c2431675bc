const ALARM =
  /(PANIC|FATAL|ERROR):|corrupt|checksum verification failed|could not (fsync|read|write|open|rename|create)/

/** What a cluster that is well says in these words: it is stopped, or a worker makes way. */
const HARMLESS =
  /FATAL: {2}(terminating .* due to administrator command|the database system is (starting up|shutting down))|ERROR: {2}canceling autovacuum task/

/** Lines of a PostgreSQL log that tell of something wrong. */
export function alarmsIn(log: string): string[] {
  return log.split('\n').filter((line) => ALARM.test(line) && !HARMLESS.test(line))
}
