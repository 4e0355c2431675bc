import type { Command } from 'commander'
import type { Check } from '../doctor/check.js'
import { checkKernelFeatures } from '../doctor/kernel.js'
import { checkLeftovers, cleanLeftovers } from '../doctor/leftovers.js'
import {
  checkAllowOther,
  checkDescriptors,
  checkFusectl,
  checkFusermount,
  checkKernel,
  checkMemfd,
  checkNode,
  checkPrivilege,
  checkRuntimeDirectory,
} from '../doctor/machine.js'
import { ExitStatus } from '../exit-status.js'
import { answer, table, type OutputOptions } from '../output.js'

interface DoctorFlags extends OutputOptions {
  readonly clean?: boolean
}

export function addDoctor(program: Command): void {
  program
    .command('doctor')
    .description(
      'show what this machine can do, what is missing, and the remedy; status 1: no mount is possible',
    )
    .option('--clean', 'take away dead mounts and what is left of earlier ones')
    .option('--json', 'answer with one JSON document')
    .action(doctor)
}

async function doctor(flags: DoctorFlags): Promise<void> {
  const cleaned = flags.clean === true ? await cleanLeftovers() : []
  const { checks: kernelFeatures, capabilities } = await checkKernelFeatures()
  const checks = [
    checkNode(),
    checkKernel(),
    checkPrivilege(),
    ...kernelFeatures,
    checkFusermount(),
    checkAllowOther(),
    checkFusectl(),
    checkMemfd(),
    checkDescriptors(),
    checkRuntimeDirectory(),
    ...(await checkLeftovers()),
  ]
  const usable = checks.every(({ state }) => state !== 'missing')
  answer(flags, { usable, capabilities: capabilities ?? null, checks, cleaned }, [
    ...table(checks.map(row)),
    ...cleaned.map((mountPoint) => `removed what was left at ${mountPoint}`),
  ])
  if (!usable) process.exitCode = ExitStatus.failure
}

function row({ state, name, text, remedy }: Check): string[] {
  return [state, name, remedy === undefined ? text : `${text}. ${remedy}`]
}
