import type { Command } from 'commander'
import { FuseError, isFuseError } from '../../errors/index.js'
import {
  abortConnection,
  CONNECTIONS,
  ensureFusectl,
  mountAt,
  unmount as unmountDirectly,
} from '../../mount/index.js'
import { ask, type ControlReply, type ControlRequest } from '../../recovery/control.js'
import { RuntimeDirectory } from '../../recovery/runtime-directory.js'
import { findMount, resolveMountPoint } from '../mounts.js'
import { answer, remark, type OutputOptions } from '../output.js'
import { replyFailure } from '../reply-failure.js'

const UNMOUNT_MS = 20_000

interface UnmountFlags extends OutputOptions {
  readonly lazy?: boolean
  readonly abort?: boolean
}

export function addUnmount(program: Command): void {
  program
    .command('unmount')
    .alias('umount')
    .description('end a mount; also one whose supervisor is gone')
    .argument('<mountpoint>')
    .option(
      '-l, --lazy',
      'take it out of the tree at once; files that are open stay usable until they are closed',
    )
    .option('--abort', 'end it whatever its server and its users do: calls fail, also those under way')
    .option('--json', 'answer with one JSON document')
    .action(unmount)
}

async function unmount(mountPoint: string, flags: UnmountFlags): Promise<void> {
  const path = await resolveMountPoint(mountPoint)
  const abort = flags.abort === true
  const lazy = flags.lazy === true || abort
  const found = await findMount(path)
  switch (found?.kind) {
    case undefined:
      throw new FuseError(
        'ERR_NOT_MOUNTED',
        { mountPoint: path },
        { remedy: 'evermount list shows what is mounted.' },
      )
    case 'supervised':
      if (abort) await askToEnd(path, { type: 'abort' })
      else if (found.status.state !== 'detached') await askToEnd(path, { type: 'unmount', lazy })
      break
    case 'unsupervised':
      if (abort) abortDirectly(path)
      // A dead mount may be in use, by nobody who could still do anything with it.
      await unmountDirectly(path, { lazy: lazy || found.liveness === 'dead' })
      if (mountAt(path)?.minor !== found.note?.connection) RuntimeDirectory.of(path).remove()
      break
    case 'remains':
      RuntimeDirectory.of(path).remove()
  }
  const was = found.kind === 'remains' ? 'was not mounted any more; what was left is removed' : 'unmounted'
  answer(flags, { mountPoint: path, unmounted: found.kind !== 'remains', lazy, abort }, [`${path}: ${was}`])
}

/** A mount that nobody supervises. */
function abortDirectly(path: string): void {
  ensureFusectl()
  const connection = mountAt(path)?.minor
  if (connection !== undefined && abortConnection(connection)) return
  throw new FuseError(
    'ERR_SUPERVISOR',
    { problem: 'the connection cannot be aborted' },
    { remedy: `As root: echo 1 > ${CONNECTIONS}/${connection ?? 'N'}/abort` },
  )
}

/** Ends when the mount is out of the tree and, unless others still use it, the supervisor has put everything away. */
async function askToEnd(
  path: string,
  request: Extract<ControlRequest, { type: 'unmount' | 'abort' }>,
): Promise<void> {
  let reply: ControlReply
  try {
    reply = await ask(RuntimeDirectory.of(path).socket, request, UNMOUNT_MS)
  } catch (error) {
    // It ended with the mount, before its answer was out.
    if (isFuseError(error, 'ERR_SUPERVISOR') && mountAt(path) === undefined) return
    throw error
  }
  if (reply.type !== 'unmounted') throw replyFailure(reply)
  if (!reply.ended && request.type === 'unmount' && !request.lazy) {
    remark('another mount namespace still uses it: it is served there until that one lets go')
  }
}
