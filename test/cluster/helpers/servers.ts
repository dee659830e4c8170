import { randomUUID } from 'node:crypto'
import { inject } from 'vitest'
import { Caller } from '../../helpers/calls.js'
import { adminPassword, type ServeProcess, startServe } from '../../helpers/serve.js'
import { hasBucket, keysBelow } from './bucket.js'
import { testBucket, testCredentials } from './bucket-server.js'
import { emptyDatabase, hasDatabase, type TestDatabase } from './database.js'

/** Whether servers that share a database and a bucket can be started; without them the tests are skipped. */
export const hasCluster = hasDatabase && hasBucket

export interface TestCluster {
  readonly database: TestDatabase
  readonly servers: ServeProcess[]
  /** The keys of all objects, without their prefix. */
  keys(): string[]
  /** Starts one more. */
  add(options?: ServerOptions): Promise<ServeProcess>
  /** A caller of each server, in order, with the token of an account, which is created by the first. */
  logIn(username: string): Promise<Caller[]>
  logInAdmin(): Promise<Caller[]>
}

export interface ServerOptions {
  args?: readonly string[]
  /** Of the database, such as that of a proxy. */
  databaseUrl?: string
  bucketOrigin?: string
  dataFolder?: string
}

/** The address of a schema of the tests' database, as an option of the server. */
export function databaseOption({ url, schema }: { url: string; schema: string }): string {
  return `${url}?search_path=${schema}`
}

export function bucketOption(prefix: string, origin: string = inject('bucket')!.origin): string {
  return `s3://${testBucket}/${prefix}?endpoint=${origin}`
}

/** Where servers have their data. */
export interface ClusterPlace {
  database: TestDatabase
  /** Of the bucket. */
  prefix: string
}

export async function emptyPlace(): Promise<ClusterPlace> {
  return { database: await emptyDatabase(), prefix: `cluster-${randomUUID()}` }
}

/** The variables of a process that works on a place. */
export function placeVariables(
  { database, prefix }: ClusterPlace,
  { databaseUrl = database.url, bucketOrigin }: ServerOptions = {},
): Record<string, string> {
  return {
    FILEJOBS_DATABASE: databaseOption({ ...database, url: databaseUrl }),
    FILEJOBS_BUCKET: bucketOption(prefix, bucketOrigin),
    AWS_ACCESS_KEY_ID: testCredentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: testCredentials.secretAccessKey,
  }
}

/** Real servers on one database and one bucket, each a process of its own. */
export async function startCluster(
  count: number,
  options: ServerOptions & { place?: ClusterPlace } = {},
): Promise<TestCluster> {
  const place = options.place ?? (await emptyPlace())
  const { database } = place
  const servers: ServeProcess[] = []
  const cluster: TestCluster = {
    database,
    servers,
    keys: () => keysBelow(place.prefix),
    async add({ args = options.args ?? [], dataFolder, ...addresses } = {}) {
      const env = placeVariables(place, addresses)
      const server = await startServe({ args, env, ...(dataFolder ? { dataFolder } : {}) })
      servers.push(server)
      return server
    },
    async logIn(username) {
      const { json } = await new Caller(servers[0]!, '').post('/auth/signup', { username, password: 'correct horse' })
      return servers.map((server) => new Caller(server, json.token))
    },
    async logInAdmin() {
      const credentials = { role: 'admin', username: 'admin', password: adminPassword }
      const { json } = await new Caller(servers[0]!, '').post('/auth/login', credentials)
      return servers.map((server) => new Caller(server, json.token))
    },
  }
  await Promise.all(Array.from({ length: count }, () => cluster.add()))
  return cluster
}
