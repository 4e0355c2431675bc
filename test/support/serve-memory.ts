import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

const CHILD = fileURLToPath(new URL('../contract/children/serve-memory.mjs', import.meta.url))

/** Serves the memory file system on a mount point, in a process of its own. Returns what ends it: its exit status. */
export async function serveMemory(mountPoint: string): Promise<() => Promise<number | null>> {
  const server = spawn(process.execPath, [CHILD, mountPoint], { stdio: ['pipe', 'pipe', 'inherit'] })
  await once(server.stdout, 'data')
  return async () => {
    server.stdin.end()
    if (server.exitCode === null) await once(server, 'exit')
    return server.exitCode
  }
}
