import type { UserWorkspaceConfig } from 'vitest/config'
import { browserFolder } from './browser-folder.js'

type Options = NonNullable<UserWorkspaceConfig['test']>

const browser = ['test/dashboard/**/*.test.ts']

/** Files that start processes: the command line, the engine of tables, and programs such as curl, cp and nginx. */
const processes = [
  'test/*.test.ts',
  'test/{e2e,lint}/**/*.test.ts',
  'test/cli/{program,server-options,shares,wrong-use}.test.ts',
  'test/server/{full-disk,lost-storage}.test.ts',
  'test/server/{archives,dialects,tables}/**/*.test.ts',
  'test/server/auth/passwords.test.ts',
  'test/server/http/{connection,half-close,tls}.test.ts',
  'test/server/lifecycle/leaks.test.ts',
  'test/server/routes/{every-route,imports,query,tables}.test.ts',
  'test/server/routes/bodies/multipart.test.ts',
  'test/server/routes/headers/conditions-by-date.test.ts',
  'test/server/routing/answers.test.ts',
  'test/server/stores/local/{data-lock,listing,restored-files}.test.ts',
  'test/server/transfers/{pause,resumed-downloads,stop-export,stop-upload}.test.ts',
]

function project(name: string, options: Options) {
  return { extends: true as const, test: { name, ...options } }
}

/** In the order in which they run: files that wait for much come first, so that the last ones are short. */
export const projects = [
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
