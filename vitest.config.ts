import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    pool: 'forks',
    // Tests on the real kernel measure and kill: two at a time is what two cores bear.
    maxWorkers: 2,
    testTimeout: 30_000,
    // On a busy machine a test of the real kernel may come too late for a deadline: CI tries it once more, and says so.
    retry: process.env['EVERMOUNT_REQUIRE_FUSE'] === '1' ? 1 : 0,
    hookTimeout: 60_000,
  },
})
