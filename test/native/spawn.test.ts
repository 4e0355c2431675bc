import { closeSync, openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { Errno } from '../../src/errors/errno.js'
import { close } from '../../src/native/descriptor.js'
import { pollNow } from '../../src/native/poll.js'
import { pidfdOpen, pidfdSendSignal } from '../../src/native/process.js'
import { exitOf, reap, spawnProcess } from '../../src/native/spawn.js'
import { temporaryDirectories } from '../support/temporary-directory.js'

const temporaryDirectory = temporaryDirectories()

/** Runs a shell script, whose standard output is a file, until it ends: how it ended, and what it wrote. */
function run(script: string, more: readonly number[] = []): { pidfd: number; output: () => string } {
  const path = join(temporaryDirectory(), 'output')
  const output = openSync(path, 'w')
  const pid = spawnProcess({
    file: '/bin/sh',
    args: ['-c', script],
    env: { PATH: process.env['PATH'], COLOUR: 'green', ABSENT: undefined },
    descriptors: ['ignore', output, output, ...more],
  })
  closeSync(output)
  expect(pid).toBeGreaterThan(0)
  const pidfd = pidfdOpen(pid)
  onTestFinished(() => {
    close(pidfd)
  })
  return { pidfd, output: () => readFileSync(path, 'utf8') }
}

describe('a spawned process', () => {
  it('tells how it has ended, until it is reaped', () => {
    const { pidfd } = run('exit 7')
    expect(pollNow([pidfd], 5_000)).toBe(1)
    expect(exitOf(pidfd)).toEqual({ code: 7 })
    expect(exitOf(pidfd)).toEqual({ code: 7 })
    expect(reap(pidfd)).toBe(0)
    expect(exitOf(pidfd)).toBe(-Errno.ECHILD)
  })

  it('tells which signal ended it, and nothing before', () => {
    const { pidfd } = run('sleep 100')
    expect(exitOf(pidfd)).toBe(-Errno.EAGAIN)
    pidfdSendSignal(pidfd, 9)
    expect(pollNow([pidfd], 5_000)).toBe(1)
    expect(exitOf(pidfd)).toEqual({ signal: 9 })
    reap(pidfd)
  })

  it('has its arguments, its environment and signals as by default', () => {
    const { pidfd, output } = run('echo $COLOUR ${ABSENT-none}; grep -E "^Sig(Blk|Ign)" /proc/self/status')
    expect(pollNow([pidfd], 5_000)).toBe(1)
    reap(pidfd)
    expect(output()).toBe('green none\nSigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n')
  })

  it('has the descriptors it is to have, whatever their numbers here, and no others', () => {
    const files = ['three', 'four', 'five'].map((name) => {
      const fd = openSync(join(temporaryDirectory(), name), 'w')
      onTestFinished(() => {
        closeSync(fd)
      })
      return fd
    })
    // Theirs are ours the other way round.
    const { pidfd, output } = run(
      'ls -l /proc/self/fd | sed -n "s/.* \\([0-9]* -> \\)/\\1/p"',
      files.reverse(),
    )
    expect(pollNow([pidfd], 5_000)).toBe(1)
    reap(pidfd)
    const lines = output().trim().split('\n')
    expect(lines.find((line) => line.startsWith('0 '))).toBe('0 -> /dev/null')
    expect(lines.find((line) => line.startsWith('3 '))).toMatch(/five$/)
    expect(lines.find((line) => line.startsWith('4 '))).toMatch(/four$/)
    expect(lines.find((line) => line.startsWith('5 '))).toMatch(/three$/)
    // 6: the directory that ls reads, in a child of the shell.
    expect(lines.map((line) => Number(line.split(' ')[0])).filter((fd) => fd > 6 && fd < 10)).toEqual([])
  })

  it('cannot be had of a program that is not there', () => {
    expect(spawnProcess({ file: '/nonexistent', args: [], env: {}, descriptors: [] })).toBe(-Errno.ENOENT)
  })
})
