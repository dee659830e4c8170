import { availableParallelism } from 'node:os'
import { defineConfig } from 'vitest/config'

// `.ci/run` counts from this file what the reporter for people says in words.
const report = process.env.FILEJOBS_TEST_REPORT

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/soak/**', 'node_modules/**'],
    globalSetup: ['test/build.ts'],
    reporters: report ? ['default', ['json', { outputFile: report }]] : ['default'],
    pool: 'forks',
    // Most tests wait for a program or a clock: on two cores three files at a time, where the default is one.
    maxWorkers: Math.max(3, availableParallelism() - 1),
    // A slow machine is no fault: only what hangs is to fail by its time.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    teardownTimeout: 60_000,
    // The default of one second is too little for a busy machine.
    expect: { poll: { timeout: 25_000 } },
  },
})
