import { availableParallelism } from 'node:os'
import { defineConfig } from 'vitest/config'
import { fleetFiles } from './test/run/fleet-files.js'
import config from './vitest.config.js'

const { globalSetup, reporters, projects: _, sequence: __, ...shared } = config.test!

/** The tests of the protocols against three servers behind a proxy, of which one after the other is killed: `npm run test:fleet`. */
export default defineConfig({
  test: {
    ...shared,
    name: 'fleet',
    include: fleetFiles,
    env: { FILEJOBS_TEST_BACKEND: 'fleet' },
    globalSetup: [...new Set([globalSetup!, 'test/cluster/helpers/global-setup.ts'].flat())],
    reporters: [reporters, 'test/run/fleet-report.ts'].flat() as string[],
    setupFiles: [shared.setupFiles!, 'test/run/fleet-tests.ts'].flat(),
    // How often a test is tried again that has lost a server: see the file above.
    retry: 2,
    // Each file has three servers.
    maxWorkers: availableParallelism() + 1,
  },
})
