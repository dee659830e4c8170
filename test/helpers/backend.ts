import { randomUUID } from 'node:crypto'
import { inject } from 'vitest'
import type { ClusterConfig } from '../../dist/server/config.js'
import { connectDatabase } from '../../dist/server/stores/postgres/database.js'
import { testBucket, testCredentials } from '../cluster/helpers/bucket-server.js'
import { isCluster } from '../run/is-cluster.js'

export type Sql = ReturnType<typeof connectDatabase>

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

/** The prefix in the bucket, of a data folder. */
export function bucketPrefixOf(dataFolder: string): string {
  return schemas.get(dataFolder)!
}

/** Runs a query in the schema of a data folder. */
export async function queryBackend<T>(dataFolder: string, work: (sql: Sql) => PromiseLike<T>): Promise<T> {
  return withDatabase(`${inject('database')!}?search_path=${schemas.get(dataFolder)}`, work)
}

async function withDatabase<T>(url: string, work: (sql: Sql) => PromiseLike<T>): Promise<T> {
  const sql = connectDatabase({ url }, 2)
  try {
    return await work(sql)
  } finally {
    await sql.end({ timeout: 1 })
  }
}
