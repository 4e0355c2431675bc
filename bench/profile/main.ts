/**
 * node bench/build/profile/main.js OPERATION [SECONDS [CLIENTS]]
 *
 * Profiles the server of a real mount while clients do one operation again and again, prints where its time goes, and
 * leaves the profile in bench/build/OPERATION.cpuprofile for the developer tools of a browser.
 */
import { join } from 'node:path'
import { root } from '../programs.js'
import { observe, observeServers, requestsOfEach, seenWhile } from './mount.js'
import { selfTimes, type Profile } from './self-times.js'

const LINES = 40

// Whoever reads may stop early (head): the mount is ended all the same.
process.stdout.on('error', () => undefined)
const print = (text: string): void => void process.stdout.write(`${text}\n`)

const [operation = 'stat', seconds = '3', clients = '1'] = process.argv.slice(2)
const output = join(root, `bench/build/${operation}.cpuprofile`)
observeServers('times', output)

await observe(operation, Number(clients), async (mount) => {
  const plain = await mount.run(1)
  const before = await mount.requests()
  const [profiled, profile] = await seenWhile(mount.server, output, () => mount.run(Number(seconds)))
  const micros = ({ value }: { value: number }): string => ((1e6 * Number(clients)) / value).toFixed(1)
  print(`${operation}: ${micros(plain)} µs each, server CPU ${(plain.serverCpuUs ?? NaN).toFixed(1)} µs`)
  print(`while profiled: ${micros(profiled)} µs each`)
  for (const line of requestsOfEach(before, await mount.requests(), profiled.value * Number(seconds)))
    print(line)
  for (const { where, share } of selfTimes(profile as Profile).slice(0, LINES))
    print(`${(share * 100).toFixed(1)} %  ${where}`)
  print(output)
})
