import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, describe, expect, it } from 'vitest'
import { Errno } from '../../src/errors/errno.js'
import { FuseError } from '../../src/errors/fuse-error.js'
import { DeviceTransport } from '../../src/transport/device.js'
import { NAME_LENGTH } from '../support/fuse-answers.mjs'
import { requireOrSkip } from '../support/requirements.js'
import { runChild, runCommand } from '../support/run-child.js'
import { temporaryDirectories } from '../support/temporary-directory.js'

const temporary = temporaryDirectories()

describe('DeviceTransport', () => {
  beforeEach((context) => requireOrSkip(context, 'root', 'fuse'))

  it('refuses what is no device to wait on', () => {
    expect(() => new DeviceTransport(-1)).toThrow(FuseError)
  })

  /** The drill serves a mount in a process of its own, so that nothing can stop this one. */
  it('does on a real connection what the interface says', async () => {
    const mountPoint = join(temporary(), 'mount')
    mkdirSync(mountPoint)
    const script = new URL('./children/device-drill.mjs', import.meta.url)
    const result = await runChild(script, [mountPoint], 15_000)
    await runCommand('umount', ['-l', mountPoint])
    expect(result.stderr).toBe('')
    expect(JSON.parse(result.stdout)).toEqual({
      smallBuffer: -Errno.EINVAL,
      nothingNow: 0,
      wokenEarly: true,
      initOpcode: 26,
      statfsThroughClone: NAME_LENGTH,
      answeredElsewhere: -Errno.ENOENT,
      unknownAnswer: -Errno.ENOENT,
      malformedAnswer: -Errno.EINVAL,
      outsideBuffer: -Errno.EFAULT,
      invalidateUnknown: -Errno.ENOENT,
      resends: [16, 16, 16],
      interruptedAway: 0,
      backing: { first: 1, second: 2, closed: 0, again: -Errno.ENOENT, directory: -Errno.EISDIR },
      capabilitiesKept: true,
      waitEndsWithUnmount: true,
      gone: -Errno.ENODEV,
      goneForWrites: -Errno.ENOENT,
      afterClose: -Errno.EBADF,
      fdsLeft: 0,
    })
  })

  it('does not stop process.exit while it waits', async () => {
    const directory = temporary()
    const script = new URL('./children/device-drill.mjs', import.meta.url)
    const mountPoint = join(directory, 'mount')
    mkdirSync(mountPoint)
    const result = await runChild(script, [mountPoint, 'end'], 15_000)
    await runCommand('umount', ['-l', mountPoint])
    expect(result).toMatchObject({ code: 5, stderr: '', signal: null })
    expect(result.milliseconds).toBeLessThan(5000)
  })
})
