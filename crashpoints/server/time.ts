import { performance } from 'node:perf_hooks'
import { currentLife } from './life.js'

/*
 * A server's stopwatch goes on by 1 ms each time it is read: how often it looks for a request before it waits would
 * otherwise depend on the machine, and with it how many steps it takes.
 */
const now = performance.now.bind(performance)
let read = 0
performance.now = () => (currentLife() === undefined ? now() : ++read)
