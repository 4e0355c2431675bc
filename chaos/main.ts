/**
 * npm run chaos: real programs work on a mount while its processes are killed, whether or not a standby is ready; with
 * --soak, many kills in one mount, and what stays behind after each. Exit status 1 when a program can notice it.
 */
import process from 'node:process'
import { program } from './program.js'

process.exitCode = await program(process.argv.slice(2))
