export { DeviceTransport } from './device.js'
export type { Transport } from './transport.js'
