import { availableParallelism } from 'node:os'
import { defineConfig } from 'vitest/config'
import { isCluster } from './test/run/is-cluster.js'
import { projects } from './test/run/projects.js'
import { GroupedSequencer } from './test/run/sequencer.js'

// `.ci/run` counts from this file what the reporter for people says in words.
const report = process.env.FILEJOBS_TEST_REPORT

export default defineConfig({
  test: {
    projects,
    globalSetup: ['test/build.ts', ...(isCluster ? ['test/cluster/helpers/global-setup.ts'] : [])],
    reporters: report ? ['default', ['json', { outputFile: report }], 'test/run/unstable-tests.ts'] : ['default'],
    // There a failure stops everything that was submitted, so it is tried once more, and named even if it passes then.
    retry: report ? 1 : 0,
    // Node itself loads the built program: transforming it again for each file takes longer than most tests.
    server: { deps: { external: [/\/dist\//] } },
    pool: 'forks',
    // The files of a project share its processes, so that each of these loads the program once.
    isolate: false,
    setupFiles: ['test/run/fixed-seed.ts', ...(process.env.NODE_V8_COVERAGE ? ['test/run/take-coverage.ts'] : [])],
    sequence: { sequencer: GroupedSequencer },
    // Most tests wait for a program or a clock.
    maxWorkers: availableParallelism() + 2,
    // A slow machine is no fault: only what hangs is to fail by its time.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    teardownTimeout: 60_000,
    // The default of one second is too little for a busy machine.
    expect: { poll: { timeout: 25_000 } },
  },
})
