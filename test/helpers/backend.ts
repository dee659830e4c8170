import { randomUUID } from 'node:crypto'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { inject } from 'vitest'
import type { ClusterConfig } from '../../dist/server/config.js'
import { connectDatabase } from '../../dist/server/stores/postgres/database.js'
import { testBucket, testCredentials } from '../cluster/helpers/bucket-server.js'

/**
 * Whether the servers of all tests have a database and a bucket: `FILEJOBS_TEST_BACKEND=cluster`. Tests of what only a server with
 * a data folder has are skipped then.
 */
export const isCluster = process.env.FILEJOBS_TEST_BACKEND === 'cluster'

/** By the data folder, so that a server that is started again finds what it had. */
const schemas = new Map<string, string>()

/** Where the server of a data folder has its stores; null if it is to have them in that folder. */
export async function backendOf(dataFolder: string): Promise<ClusterConfig | null> {
  if (!isCluster) return null
  const url = inject('database')!
  const schema = schemas.get(dataFolder) ?? `test_${randomUUID().replaceAll('-', '')}`
  if (!schemas.has(dataFolder)) await withDatabase(url, (sql) => sql`create schema ${sql(schema)}`)
  schemas.set(dataFolder, schema)
  return {
    database: `${url}?search_path=${schema}`,
    bucket: `s3://${testBucket}/${schema}?endpoint=${inject('bucket')!.origin}`,
    advertise: null,
    variables: {
      AWS_ACCESS_KEY_ID: testCredentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: testCredentials.secretAccessKey,
    },
  }
}

/** Removes what `backendOf` has created. */
export async function removeBackend(dataFolder: string): Promise<void> {
  const schema = schemas.get(dataFolder)
  schemas.delete(dataFolder)
  if (schema) await withDatabase(inject('database')!, (sql) => sql`drop schema ${sql(schema)} cascade`)
}

/** The variables of a process that serves from there. */
export function variablesOf(cluster: ClusterConfig | null): Record<string, string> {
  if (!cluster) return {}
  const { database, bucket, variables } = cluster
  return { FILEJOBS_DATABASE: database, FILEJOBS_BUCKET: bucket, ...(variables as Record<string, string>) }
}

async function withDatabase(
  url: string,
  work: (sql: ReturnType<typeof connectDatabase>) => PromiseLike<unknown>,
): Promise<void> {
  const sql = connectDatabase({ url }, 1)
  try {
    await work(sql)
  } finally {
    await sql.end({ timeout: 1 })
  }
}

/**
 * What the server of a data folder has received and not published, by the names of the files in `partial/`; in a database, a
 * row of a partial stands for `ID.bin`, and one with a state also for `ID.json`.
 */
export async function partialNames(dataFolder: string): Promise<string[]> {
  const schema = schemas.get(dataFolder)
  if (!schema) return readdir(join(dataFolder, 'partial'))
  const names: string[] = []
  await withDatabase(`${inject('database')!}?search_path=${schema}`, async (sql) => {
    const rows = await sql<{ name: string }[]>`
      select id || '.bin' as name from partials where content is not null
      union all select id || '.json' from partials where state is not null
      union all select id || '.stage' from stages
      union all select key from objects where state in ('pending', 'stored')
        and not exists (select from partials where partials.content = objects.content)
        and not exists (select from staged_files where staged_files.content = objects.content)`
    names.push(...rows.map(({ name }) => name))
  })
  return names
}
