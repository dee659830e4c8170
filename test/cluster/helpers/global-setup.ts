import type { TestProject } from 'vitest/node'
import { findPostgres, startPostgres } from './postgres-server.js'

declare module 'vitest' {
  interface ProvidedContext {
    /** The address of the PostgreSQL server that the tests share; null where none can be started. */
    database: string | null
  }
}

export default async function startServers(project: TestProject): Promise<(() => Promise<void>) | undefined> {
  const programs = findPostgres()
  if (programs === undefined) {
    console.warn('PostgreSQL is not installed: the tests of the cluster are skipped.')
    project.provide('database', null)
    return undefined
  }
  const server = await startPostgres(programs)
  project.provide('database', server.url)
  return () => server.close()
}
