/**
 * Flags of Node.js for supervisors and servers: a small young generation, since a request leaves little garbage; garbage
 * is collected on the main thread, which would wait for threads that stand back (see putServiceFirst); and one thread for
 * V8 to compile on. A process with less memory and fewer threads is sooner taken apart when it is killed, and leaves the
 * processors to its clients. And no collection only because there is little to do: it is 12 ms of a supervisor that comes before
 * everybody.
 */
export const NODE_FLAGS = [
  '--max-semi-space-size=2',
  '--single-threaded-gc',
  '--v8-pool-size=1',
  '--no-memory-reducer',
]
