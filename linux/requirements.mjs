/** What building and booting needs, each with the Debian package that has it. */
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'

export const sourceArchive = '/usr/src/linux-source-6.12.tar.xz'

const tools = {
  gcc: 'build-essential',
  make: 'build-essential',
  flex: 'flex',
  bison: 'bison',
  bc: 'bc',
  xz: 'xz-utils',
  'qemu-system-x86_64': 'qemu-system-x86',
  'mkfs.ext4': 'e2fsprogs',
}
const files = {
  [sourceArchive]: 'linux-source-6.12',
  '/usr/include/libelf.h': 'libelf-dev',
  '/usr/include/openssl/opensslv.h': 'libssl-dev',
}

/** Packages that are missing; building needs all, booting a kernel of the cache only some. */
export function missingPackages() {
  const has = (tool) => spawnSync('sh', ['-c', `command -v ${tool}`], { stdio: 'ignore' }).status === 0
  const lacking = [
    ...Object.entries(tools).filter(([tool]) => !has(tool)),
    ...Object.entries(files).filter(([path]) => !existsSync(path)),
  ]
  return [...new Set(lacking.map(([, name]) => name))].sort()
}
