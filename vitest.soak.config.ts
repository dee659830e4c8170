import { defineConfig } from 'vitest/config'
import { propertyFiles } from './test/run/property-files.js'

/** The long tests, and those of properties with many more runs: `npm run soak`. One after another, since they measure. */
export default defineConfig({
  test: {
    include: ['test/soak/**/*.test.ts', ...propertyFiles(import.meta.dirname)],
    env: { FILEJOBS_PROPERTY_FACTOR: '20' },
    globalSetup: ['test/build.ts', 'test/cluster/helpers/global-setup.ts'],
    pool: 'forks',
    fileParallelism: false,
    passWithNoTests: true,
    testTimeout: 30 * 60_000,
    hookTimeout: 60_000,
  },
})
