export type { BegunChange, Verdict } from './begun-change.js'
export type { Context } from './context.js'
export type * from './file-system.js'
export type { Host, Keeper, Nodes, Notifier } from './host.js'
