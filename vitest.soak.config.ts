import { defineConfig } from 'vitest/config'

/** The long ones: `npm run soak`. One after another, since they measure. */
export default defineConfig({
  test: {
    include: ['test/soak/**/*.test.ts'],
    globalSetup: ['test/build.ts'],
    pool: 'forks',
    fileParallelism: false,
    passWithNoTests: true,
    testTimeout: 30 * 60_000,
    hookTimeout: 60_000,
  },
})
