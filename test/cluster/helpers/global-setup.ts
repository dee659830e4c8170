import type { TestProject } from 'vitest/node'
import { findVersitygw, startVersitygw } from './bucket-server.js'
import { findPostgres, startPostgres } from './postgres-server.js'

declare module 'vitest' {
  interface ProvidedContext {
    /** The address of the PostgreSQL server that the tests share; null where none can be started. */
    database: string | null
    /** The S3 server that the tests share; null where none can be started. */
    bucket: { origin: string; folder: string } | null
  }
}

export default async function startServers(project: TestProject): Promise<() => Promise<void>> {
  const programs = findPostgres()
  const versitygw = findVersitygw()
  if (programs === undefined) console.warn('PostgreSQL is not installed: the tests of the cluster are skipped.')
  if (versitygw === undefined) console.warn('versitygw is not installed: the tests of the bucket are skipped.')
  const database = programs === undefined ? null : await startPostgres(programs)
  const bucket = versitygw === undefined ? null : await startVersitygw(versitygw)
  project.provide('database', database?.url ?? null)
  project.provide('bucket', bucket && { origin: bucket.origin, folder: bucket.folder })
  return async () => {
    await database?.close()
    await bucket?.close()
  }
}
