// Ends in the way its argument says while a wait is under way.
import { Waiter, socketpair } from '../../../dist/native/index.js'

const pair = new Int32Array(2)
socketpair(pair)
const waiter = new Waiter([pair[0]])
const wait = waiter.wait()
switch (process.argv[2]) {
  case 'process.exit':
    setTimeout(() => process.exit(7), 50)
    break
  case 'end of work': // an idle waiter keeps nothing alive
    waiter.wake()
    await wait
    break
  default:
    setTimeout(() => waiter.close(), 50)
    await wait
}
