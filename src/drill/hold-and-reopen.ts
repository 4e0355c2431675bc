import type { Calls } from './calls.js'

const BYTES = 16

/**
 * The restart trap as its victim sees it: opens a file, holds it over whatever happens meanwhile, and opens it again.
 * 'ok' when both descriptors read the same, else the error's code.
 */
export async function holdAndReopen(
  mount: Calls,
  path: string,
  meanwhile: () => Promise<void>,
): Promise<string> {
  const held = await mount.open(path, 'r')
  await meanwhile()
  const result = await reopen(mount, path, held)
  await mount.close(held)
  return result
}

async function reopen(mount: Calls, path: string, held: number): Promise<string> {
  try {
    const again = await mount.open(path, 'r')
    const [a, b] = [await mount.read(held, BYTES, 0), await mount.read(again, BYTES, 0)]
    await mount.close(again)
    return a.length === BYTES && Buffer.from(a).equals(b) ? 'ok' : 'wrong data'
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? String(error)
  }
}
