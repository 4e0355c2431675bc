/** A kernel booted in QEMU on the host's root file system, and what the program in it reports. */
import { spawn, spawnSync } from 'node:child_process'
import {
  accessSync,
  constants,
  createWriteStream,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'

const TREE = join(import.meta.dirname, '..')
/** With hardware virtualisation that works the kernel's first line comes sooner; in some machines it is there and hangs. */
const KVM_SIGN_OF_LIFE_MS = 6_000
/**
 * Emulated, the machine's clock goes by the instructions it has carried out, one every two nanoseconds, and by the
 * host's clock only while it is idle. To what runs in it it is a slow computer, however little the emulation gets of
 * the host: deadlines and pauses of the programs that are tested mean the same as elsewhere. Its processors then take
 * turns. `parallel`: they run at the same time instead, by the host's clock.
 */
const ACCELERATION = {
  kvm: ['-accel', 'kvm', '-cpu', 'host'],
  tcg: ['-accel', 'tcg,thread=single,tb-size=1024', '-icount', 'shift=1', '-cpu', 'max'],
  'tcg, parallel': ['-accel', 'tcg,thread=multi,tb-size=1024', '-cpu', 'max'],
}
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP']
const MEMORY_MIB = 2048
const DISK_BYTES = 2 ** 30

/**
 * Boots `image`, runs the parts of linux/guest.mjs in it and returns what they reported, one object each, and the
 * accelerator. Kills the machine at the deadline. All it says goes to `consoleLog`, and line by line to `onLine`.
 */
export async function boot(image, parts, { variant, brief, parallel, deadlineMs, consoleLog, onLine }) {
  const scratch = mkdtempSync(join(tmpdir(), 'evermount-vm-'))
  try {
    for (const accelerator of accelerators(parallel)) {
      const machine = new Machine(image, { variant, brief, parts, accelerator, scratch, consoleLog, onLine })
      const outcome = await machine.run(accelerator === 'kvm' ? KVM_SIGN_OF_LIFE_MS : deadlineMs, deadlineMs)
      if (outcome !== 'no life') return { outcome, accelerator, reports: machine.reports() }
    }
    return { outcome: 'the kernel did not start', accelerator: 'none', reports: [] }
  } finally {
    rmSync(scratch, { recursive: true, force: true })
  }
}

function accelerators(parallel) {
  const emulation = parallel ? 'tcg, parallel' : 'tcg'
  try {
    accessSync('/dev/kvm', constants.R_OK | constants.W_OK)
    return ['kvm', emulation]
  } catch {
    return [emulation]
  }
}

class Machine {
  #args
  #results
  #consoleLog
  #onLine

  constructor(image, { variant, brief, parts, accelerator, scratch, consoleLog, onLine }) {
    this.#results = join(scratch, 'results')
    this.#consoleLog = consoleLog
    this.#onLine = onLine
    writeFileSync(this.#results, '')
    const disk = join(scratch, 'disk')
    makeDisk(disk)
    const init = join(import.meta.dirname, 'init.sh')
    const commandLine = [
      'root=host rootfstype=9p rootflags=trans=virtio,version=9p2000.L,msize=262144,cache=loose ro',
      'console=ttyS0 loglevel=5 panic=-1 nopti',
      'init=/bin/sh',
      `"EVERMOUNT_TREE=${TREE}"`,
      `"EVERMOUNT_NODE=${dirname(process.execPath)}"`,
      `EVERMOUNT_VARIANT=${variant} EVERMOUNT_BRIEF=${brief ? 1 : 0} EVERMOUNT_PARTS=${parts.join(',')}`,
      `-- "${init}"`,
    ].join(' ')
    const comma = (path) => path.replaceAll(',', ',,')
    this.#args = [
      ...ACCELERATION[accelerator],
      ...['-m', String(MEMORY_MIB), '-smp', '2'],
      ...['-display', 'none', '-monitor', 'none', '-no-reboot', '-nodefaults'],
      ...['-serial', 'stdio', '-chardev', `file,id=results,path=${comma(this.#results)}`],
      ...['-serial', 'chardev:results'],
      ...['-fsdev', 'local,id=host,path=/,security_model=none,readonly=on,multidevs=remap'],
      ...['-device', 'virtio-9p-pci,fsdev=host,mount_tag=host', '-device', 'virtio-rng-pci'],
      ...['-drive', `file=${comma(disk)},format=raw,if=virtio,cache=unsafe,discard=unmap`],
      ...['-kernel', image, '-append', commandLine],
    ]
  }

  /** 'off' when it powered off, 'no life' when it did not start by `lifeMs`, else what went wrong. */
  run(lifeMs, deadlineMs) {
    return new Promise((resolve, reject) => {
      const console = createWriteStream(this.#consoleLog, { flags: 'a' })
      const machine = spawn('qemu-system-x86_64', this.#args, { stdio: ['ignore', 'pipe', 'pipe'] })
      let alive = false
      let complaint = ''
      let outcome = 'off'
      const end = (why) => {
        outcome = why
        machine.kill('SIGKILL')
      }
      const life = setTimeout(() => {
        if (!alive) end('no life')
      }, lifeMs)
      const interrupt = () => end('interrupted')
      for (const signal of SIGNALS) process.once(signal, interrupt)
      const deadline = setTimeout(() => end(`not done after ${deadlineMs / 1000} s`), deadlineMs)
      createInterface({ input: machine.stdout }).on('line', (line) => {
        console.write(`${line}\n`)
        alive = true
        this.#onLine(line.trimEnd())
      })
      machine.stderr.on('data', (chunk) => (complaint += chunk))
      machine.once('error', reject)
      machine.once('close', (status) => {
        clearTimeout(life)
        clearTimeout(deadline)
        for (const signal of SIGNALS) process.off(signal, interrupt)
        console.end()
        if (outcome === 'off' && status !== 0) outcome = alive ? `qemu: ${complaint.trim()}` : 'no life'
        resolve(outcome)
      })
    })
  }

  /** Lines that are not whole were cut off by the machine's end. */
  reports() {
    const lines = readFileSync(this.#results, 'utf8').split('\n').slice(0, -1)
    return lines.map((line) => JSON.parse(line))
  }
}

function makeDisk(path) {
  const { status, stderr } = spawnSync('mkfs.ext4', ['-q', '-F', path, `${DISK_BYTES / 1024}k`], {
    encoding: 'utf8',
  })
  if (status !== 0) throw new Error(`mkfs.ext4: ${stderr}`)
}
