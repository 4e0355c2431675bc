/** Entry of a process that looks every file of {@link KNOWN_INODES} up on a mount, and ends. */
import { kernelCalls } from './kernel-calls.js'
import { lookUpFiles } from './known-inodes.js'

await lookUpFiles(kernelCalls(process.argv[2] ?? ''))
