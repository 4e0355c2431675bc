import { closeSync, openSync, writeSync } from 'node:fs'

/** Keeps idle processors from sleeping until the function that it returns is called (PM QoS, /dev/cpu_dma_latency). */
export function keepProcessorsAwake(): () => void {
  const fd = openSync('/dev/cpu_dma_latency', 'r+')
  try {
    writeSync(fd, Buffer.alloc(4))
  } catch (error) {
    closeSync(fd)
    throw error
  }
  return () => {
    closeSync(fd)
  }
}
