import { describe, expect, it } from 'vitest'
import { Area } from '../../src/journal/area.js'
import { PrivateMemory } from '../../src/journal/memory.js'

const CHUNK = 72
/** Words of the first chunk and of later ones, at their beginnings and ends. */
const ADDRESSES = [0, CHUNK - 8, CHUNK, 2 * CHUNK - 8, 5 * CHUNK]

describe('Area', () => {
  it.each([true, false])('keeps words wherever they lie, the first chunk mapped first: %s', (first) => {
    const memory = new PrivateMemory()
    const area = new Area(memory, 3, CHUNK)
    if (first) expect(area.u32(0)).toBe(0)
    for (const [index, address] of [...ADDRESSES].reverse().entries()) area.setF64(address, 0.5 + index)
    expect(ADDRESSES.map((address) => area.f64(address))).toEqual([4.5, 3.5, 2.5, 1.5, 0.5])
    for (const address of ADDRESSES) {
      area.setU32(address, address + 1)
      area.publish(address + 4, 0xffffffff)
    }
    // As another process would see them.
    const other = new Area(memory, 3, CHUNK)
    for (const address of ADDRESSES) {
      expect([other.u32(address), other.u32(address + 4)]).toEqual([address + 1, 0xffffffff])
      expect(area.exchange(address, address + 1, 7)).toBe(true)
      expect(area.exchange(address, address + 1, 8)).toBe(false)
      expect([area.u32(address), area.u16(address), area.u16(address + 4)]).toEqual([7, 7, 0xffff])
      expect([...area.bytes(address, 4)]).toEqual([7, 0, 0, 0])
    }
    expect(memory.bytes).toBe(3 * CHUNK)
  })
})
