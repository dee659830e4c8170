import type { UserWorkspaceConfig } from 'vitest/config'
import { browserFolder } from './browser-folder.js'
import { isCluster } from './is-cluster.js'
import { filesWithoutServer } from './server-files.js'

type Options = NonNullable<UserWorkspaceConfig['test']>

const browser = ['test/dashboard/**/*.test.ts']

/** Files that start processes: the command line, the engine of tables, and programs such as curl, cp and nginx. */
const processes = [
  'test/*.test.ts',
  'test/{e2e,lint}/**/*.test.ts',
  'test/cli/{program,server-options,shares,wrong-use}.test.ts',
  'test/server/{full-disk,lost-storage}.test.ts',
  'test/server/tables/broken-export.test.ts',
  'test/server/{archives,dialects,tables}/**/*.test.ts',
  'test/server/auth/passwords.test.ts',
  'test/server/http/{connection,half-close,redirect,tls,tls-renewal}.test.ts',
  'test/server/lifecycle/leaks.test.ts',
  'test/server/routes/{every-route,facets,import-check,imports,job-lists,query,tables}.test.ts',
  'test/server/routes/bodies/multipart.test.ts',
  'test/server/routes/headers/conditions-by-date.test.ts',
  'test/server/routing/answers.test.ts',
  'test/server/stores/local/{data-lock,listing,restored-files}.test.ts',
  'test/server/transfers/{pause,resumed-downloads,stop-export,stop-upload}.test.ts',
]

/** About what only a server with a data folder has: its stores, a full or lost disk, files that are damaged there, and its doctor. */
const localOnly = [
  'test/server/stores/local/**',
  'test/server/{full-disk,lost-storage}.test.ts',
  'test/server/tables/broken-export.test.ts',
  'test/e2e/doctor.test.ts',
]

/**
 * With a database and a bucket, only files that start a server run, as nothing else depends on the backend. Single tests about
 * a data folder are in `onlyLocal` (test/helpers/only-local.ts).
 */
const excludedOnCluster = isCluster ? [...localOnly, ...filesWithoutServer(process.cwd())] : []

function project(name: string, options: Options) {
  const exclude = [...(options.exclude ?? []), ...excludedOnCluster]
  return { extends: true as const, test: { name, ...options, exclude } }
}

/** The tests of what servers share, and of the doctor and the migration: they choose their backends themselves. */
const cluster = {
  extends: true as const,
  test: { name: 'cluster', include: ['test/cluster/**/*.test.ts'], env: { FILEJOBS_TEST_BACKEND: '' } },
}

/** In the order in which they run: files that wait for much come first, so that the last ones are short. */
export const projects = [
  ...(isCluster ? [cluster] : []),
  project('processes', { include: processes }),
  project('browser', {
    include: browser,
    globalSetup: ['test/run/browser-folder.ts'],
    env: { TMPDIR: browserFolder },
  }),
  project('quick', {
    include: ['test/**/*.test.ts'],
    exclude: [...processes, ...browser, 'test/{cluster,soak}/**'],
    setupFiles: ['test/run/no-processes.ts'],
  }),
]
