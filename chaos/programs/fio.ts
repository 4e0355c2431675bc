import { expectSame } from './work-place.js'
import { WrongData, type Program } from './program.js'

interface FioReport {
  readonly jobs: readonly {
    readonly error: number
    readonly read: { readonly total_ios: number }
    readonly write: { readonly total_ios: number }
  }[]
}

/** System calls, which passthrough takes to the source's file, and shared mappings. */
const ENGINES = ['psync', 'mmap'] as const
const JOB =
  'fio --name=chaos --bs=4k --rw=randwrite --fsync=256 --verify=crc32c --do_verify=1 --verify_fatal=1 ' +
  '--verify_state_save=0 --output-format=json'

/** Blocks written at random with a checksum in each, read back on the mount and then in the source. */
export const fio: Program = {
  name: 'fio',
  counts: 'blocks of 4 KiB written, and verified on the mount',
  cycle: async (place) => {
    const job = `${JOB} --size=${place.isQuick ? 4 : 24}m`
    let operations = 0
    for (const engine of ENGINES) {
      const file = `file-${engine}`
      const said = await place.sh(`${job} --ioengine=${engine} --filename="$M/${file}"`)
      operations += count(said)
      await place.check('in the source', `${job} --verify_only --ioengine=psync --filename="$S/${file}"`)
      await place.sh(`rm "$M/${file}"`)
    }
    return operations
  },
}

function count(said: string): number {
  const { jobs } = JSON.parse(said.slice(said.indexOf('{'))) as FioReport
  const [job] = jobs
  if (job === undefined) throw new WrongData(`fio tells of no job: ${said}`)
  expectSame('error of fio', job.error, 0)
  expectSame('blocks verified', job.read.total_ios, job.write.total_ios)
  return job.read.total_ios + job.write.total_ios
}
