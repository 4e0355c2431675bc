import { descriptorLimit, setDescriptorLimit } from '../native/index.js'

/**
 * Lets this process, and those it starts, have as many descriptors as they may: a mirror holds one for each object in
 * use, a supervisor one for each that must outlive its server.
 */
export function raiseDescriptorLimit(): void {
  const limit = descriptorLimit()
  if (typeof limit !== 'number') setDescriptorLimit({ soft: limit.hard, hard: limit.hard })
}
