import type { FileSystem } from '../../../src/filesystem/file-system.js'
import { createFileSystem, delayed, MemoryFileSystem } from '../../../src/filesystems/memory/index.js'
import { describeFileSystem } from '../../contract/file-system.js'
import { SessionClient } from '../../contract/session-client.js'

describeFileSystem('the memory file system', () => SessionClient.of(createFileSystem()))
describeFileSystem('the memory file system that answers later', () =>
  SessionClient.of(delayed(new MemoryFileSystem() as FileSystem, () => Math.random())),
)
