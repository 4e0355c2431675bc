import { execFileSync } from 'node:child_process'
import { cpus, release, totalmem } from 'node:os'
import { root } from './programs.js'

/** What the figures were measured on. */
export interface Machine {
  readonly date: string
  readonly cpu: string
  readonly cores: number
  readonly memoryGiB: number
  readonly kernel: string
  readonly virtual: string
  readonly sourceFileSystem: string
  readonly versions: Readonly<Record<string, string>>
  readonly commit: string
  /** One minute's load when the benchmark began: above one the machine had other work. */
  readonly loadBefore: number
}

function said(command: string, ...args: string[]): string {
  try {
    return execFileSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'], cwd: root })
      .trim()
      .split('\n')[0]!
  } catch {
    return 'not there'
  }
}

export function describeMachine(place: string): Machine {
  const dirty = said('git', 'status', '--porcelain', '--untracked-files=no') === '' ? '' : ' and changes'
  return {
    date: new Date().toISOString(),
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    kernel: release(),
    virtual: said('systemd-detect-virt', '--vm'),
    sourceFileSystem: said('findmnt', '--noheadings', '--output=FSTYPE', '--target', place),
    versions: {
      node: process.version,
      npm: said('npm', '--version'),
      bindfs: said('bindfs', '--version'),
      libfuse: said('dpkg-query', '-W', '-f=${Version}', 'libfuse2'),
      fio: said('fio', '--version'),
      cc: said('cc', '--version'),
      git: said('git', '--version'),
    },
    commit: `${said('git', 'rev-parse', '--short', 'HEAD')}${dirty}`,
    loadBefore: Number(said('cat', '/proc/loadavg').split(' ')[0]),
  }
}
