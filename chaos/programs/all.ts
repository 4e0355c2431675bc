import { copies } from './copies.js'
import { fio } from './fio.js'
import { git } from './git.js'
import { postgresql } from './postgresql.js'
import type { Program } from './program.js'
import { sqlite } from './sqlite.js'
import { tar } from './tar.js'

/** By the name that the command line takes. */
export const PROGRAMS: Readonly<Record<string, Program>> = { postgresql, sqlite, git, fio, tar, copies }

export const PROGRAM_NAMES = Object.keys(PROGRAMS)
