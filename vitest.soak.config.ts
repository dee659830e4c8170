import { defineConfig } from 'vitest/config'

/** The long tests, and those of properties with many more runs: `npm run soak`. One after another, since they measure. */
export default defineConfig({
  test: {
    include: ['test/soak/**/*.test.ts', 'test/**/*.property.test.ts'],
    env: { FILEJOBS_PROPERTY_FACTOR: '20' },
    globalSetup: ['test/build.ts'],
    pool: 'forks',
    fileParallelism: false,
    passWithNoTests: true,
    testTimeout: 30 * 60_000,
    hookTimeout: 60_000,
  },
})
