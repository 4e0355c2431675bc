import process from 'node:process'

/*
 * Loaded by every process of a mount before anything else (NODE_OPTIONS): servers are made to count their steps, and
 * supervisors not to put back behind everybody else the standbys that each kill here waits for.
 */
const [, main = ''] = process.argv
if (main.endsWith('/recovery/server-main.js')) await import('./doomed-server.js')
if (main.endsWith('/recovery/supervisor-main.js')) {
  const { ServerProcess } = await import('../../src/recovery/server-process.js')
  ServerProcess.prototype.standBack = () => undefined
}
