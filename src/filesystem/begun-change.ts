import type { IoctlRequest, Name, NewObject, NodeId } from './file-system.js'

/**
 * A change that an earlier life of the server had begun when it died, and that cannot simply be done twice. Named as
 * the operation of `FileSystem` that it was asked for by, with that operation's arguments.
 */
export type BegunChange<State = unknown> =
  | {
      readonly operation: 'symlink'
      readonly parent: NodeId
      readonly name: Name
      readonly target: Uint8Array
    }
  | {
      readonly operation: 'mknod'
      readonly parent: NodeId
      readonly name: Name
      readonly object: NewObject
      readonly rdev: number
    }
  | { readonly operation: 'mkdir'; readonly parent: NodeId; readonly name: Name; readonly object: NewObject }
  | {
      readonly operation: 'create'
      readonly parent: NodeId
      readonly name: Name
      readonly flags: number
      readonly object: NewObject
    }
  | {
      readonly operation: 'link'
      readonly node: NodeId
      readonly newParent: NodeId
      readonly newName: Name
    }
  | { readonly operation: 'unlink'; readonly parent: NodeId; readonly name: Name }
  | { readonly operation: 'rmdir'; readonly parent: NodeId; readonly name: Name }
  | {
      readonly operation: 'rename'
      readonly parent: NodeId
      readonly name: Name
      readonly newParent: NodeId
      readonly newName: Name
      readonly flags: number
    }
  /** With O_TRUNC in `flags`: any other may be done twice. */
  | {
      readonly operation: 'open'
      readonly node: NodeId
      readonly flags: number
      readonly killPrivileges: boolean
    }
  | {
      readonly operation: 'setxattr'
      readonly node: NodeId
      readonly name: Name
      readonly value: Uint8Array
      readonly flags: number
      readonly killSetgid: boolean
    }
  | { readonly operation: 'removexattr'; readonly node: NodeId; readonly name: Name }
  | {
      readonly operation: 'ioctl'
      readonly node: NodeId
      readonly file: State
      readonly request: IoctlRequest
    }

/** `done`: the change has happened. `repeat`: it has not, and is to be carried out. */
export type Verdict = 'done' | 'repeat'
