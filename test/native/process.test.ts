import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { Errno } from '../../src/errors/errno.js'
import { close, getCloseOnExec } from '../../src/native/descriptor.js'
import { ioctl } from '../../src/native/ioctl.js'
import { pollNow } from '../../src/native/poll.js'
import { cstring } from '../../src/native/libc.js'
import { AT, O } from '../../src/native/open-flags.js'
import { openat } from '../../src/native/path.js'
import { backingClose, backingOpen, cloneDevice } from '../../src/native/device-ioctl.js'
import {
  descriptorLimit,
  pidfdGetfd,
  pidfdOpen,
  pidfdSendSignal,
  setDescriptorLimit,
  setParentDeathSignal,
  setThreadName,
  threadName,
} from '../../src/native/process.js'
import { requireOrSkip } from '../support/requirements.js'
import { runChild } from '../support/run-child.js'

describe('processes by descriptor', () => {
  it('signals exactly that process and sees its end', async () => {
    const child = spawn('sleep', ['100'])
    const pidfd = pidfdOpen(child.pid!)
    expect(pidfd).toBeGreaterThan(2)
    expect(getCloseOnExec(pidfd)).toBe(1)
    expect(pidfdSendSignal(pidfd, 0)).toBe(0)
    expect(pollNow([pidfd], 0)).toBe(0)
    expect(pidfdSendSignal(pidfd, 9)).toBe(0)
    expect(pollNow([pidfd], 5000)).toBe(1)
    await once(child, 'exit')
    expect(pidfdSendSignal(pidfd, 0)).toBe(-Errno.ESRCH)
    expect(pidfdOpen(child.pid!)).toBe(-Errno.ESRCH)
    close(pidfd)
  })

  it('copies a descriptor out of another process', (context) => {
    requireOrSkip(context, 'root')
    const child = spawn('sleep', ['100'], { stdio: ['pipe', 'ignore', 'ignore'] })
    const pidfd = pidfdOpen(child.pid!)
    const copy = pidfdGetfd(pidfd, 1)
    expect(copy).toBeGreaterThan(2)
    expect(readFileSync(`/proc/self/fdinfo/${copy}`, 'utf8')).toContain('flags:')
    expect(pidfdGetfd(pidfd, 99)).toBe(-Errno.EBADF)
    close(copy)
    close(pidfd)
    child.kill('SIGKILL')
  })

  it('dies with its parent', async () => {
    expect(setParentDeathSignal(0)).toBe(0)
    const result = await runChild(new URL('./children/parent.mjs', import.meta.url))
    expect(result).toMatchObject({ signal: 'SIGKILL', stderr: '' })
    const grandchild = Number(result.stdout)
    expect(grandchild).toBeGreaterThan(1)
    const pidfd = pidfdOpen(grandchild)
    if (pidfd === -Errno.ESRCH) return
    expect(pollNow([pidfd], 5000)).toBe(1)
    close(pidfd)
  })
})

describe('settings of the process', () => {
  it('names its thread', () => {
    const before = threadName()
    expect(setThreadName('evm: a long name for a thread')).toBe(0)
    expect(threadName()).toBe('evm: a long nam')
    expect(readFileSync('/proc/thread-self/comm', 'utf8')).toBe('evm: a long nam\n')
    setThreadName(before)
  })

  it('reads and sets the limit of descriptors', () => {
    const limit = descriptorLimit()
    if (typeof limit === 'number') throw new Error(`getrlimit: ${limit}`)
    expect(limit.hard).toBeGreaterThanOrEqual(limit.soft)
    expect(setDescriptorLimit({ ...limit, soft: 512 })).toBe(0)
    expect(descriptorLimit()).toEqual({ ...limit, soft: 512 })
    expect(setDescriptorLimit({ soft: 20, hard: 10 })).toBe(-Errno.EINVAL)
    expect(setDescriptorLimit(limit)).toBe(0)
  })
})

describe('ioctl', () => {
  it('refuses a buffer shorter than the request says, and reports errors', () => {
    expect(ioctl(0, 0x4010e501, new Uint8Array(15))).toBe(-Errno.EFAULT)
    expect(ioctl(-1, 0xe503, null)).toBe(-Errno.EBADF)
  })

  it('a device without a connection', (context) => {
    requireOrSkip(context, 'fuse')
    const fd = openat(AT.FDCWD, cstring('/dev/fuse'), O.RDWR | O.CLOEXEC)
    expect(backingOpen(fd, 0)).toBe(-Errno.EPERM)
    expect(backingClose(fd, 1)).toBe(-Errno.EPERM)
    expect(cloneDevice(fd, fd)).toBeLessThan(0)
    close(fd)
  })
})
