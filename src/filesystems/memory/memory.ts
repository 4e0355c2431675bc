import { fsError } from '../../errors/fs-error.js'
import type { Context } from '../../filesystem/context.js'
import type {
  AttributeChanges,
  AttributesAnswer,
  CopyRequest,
  Created,
  DirectorySink,
  Entry,
  FileSystem,
  FilesystemStatistics,
  Name,
  NewObject,
  NodeId,
  Opened,
  OpenedDirectory,
  ReadRequest,
  WriteRequest,
} from '../../filesystem/file-system.js'
import type { Host } from '../../filesystem/host.js'
import { AccessMode, direntType, FallocateMode, FileMode, RenameFlag, SeekWhence } from '../../protocol/linux.js'
import type { U64 } from '../../protocol/u64.js'
import { applyChanges, clearSetId } from './attribute-changes.js'
import { DirectoryEntries, DOT, DOT_DOT } from './directory-entries.js'
import {
  attributesOf,
  isDirectory,
  isFile,
  isSymlink,
  now,
  type DirectoryInode,
  type FileInode,
  type Inode,
} from './inode.js'
import { SparseBytes } from './sparse-bytes.js'
import { getXattr, listXattrs, removeXattr, setXattr } from './xattrs.js'
