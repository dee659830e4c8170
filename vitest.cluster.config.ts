import { defineConfig, mergeConfig } from 'vitest/config'
import config from './vitest.config.js'

/** The tests of the stores that many servers share, with a PostgreSQL server of their own: `npm run test:cluster`. */
export default mergeConfig(
  { ...config, test: { ...config.test, projects: undefined, sequence: undefined } },
  defineConfig({
    test: {
      name: 'cluster',
      include: ['test/cluster/**/*.test.ts'],
      globalSetup: ['test/cluster/helpers/global-setup.ts'],
    },
  }),
)
