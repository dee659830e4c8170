import { randomBytes } from 'node:crypto'
import { inject, onTestFinished } from 'vitest'
import { connectDatabase, type Database, type DatabaseAddress } from '../../../dist/server/stores/postgres/database.js'
import { migrateDatabase } from '../../../dist/server/stores/postgres/schema.js'

/** Whether there is a PostgreSQL server; without one the tests are skipped. */
export const hasDatabase = typeof inject('database') === 'string'

export interface TestDatabase extends DatabaseAddress {
  schema: string
  /** A pool of its own, as each server has one. It is closed with the test. */
  connect(maxConnections?: number, through?: string): Database
}

/** A schema of the running test, without any table. */
export async function emptyDatabase(url: string = inject('database')!): Promise<TestDatabase> {
  const schema = `test_${randomBytes(8).toString('hex')}`
  await once({ url }, (sql) => sql`create schema ${sql(schema)}`)
  onTestFinished(() => once({ url }, (sql) => sql`drop schema ${sql(schema)} cascade`))
  return {
    url,
    schema,
    connect(maxConnections, through = url) {
      const database = connectDatabase({ url: through, schema }, maxConnections)
      onTestFinished(() => database.end({ timeout: 1 }))
      return database
    },
  }
}

/** A schema of the running test with all tables. */
export async function testDatabase(): Promise<TestDatabase> {
  const database = await emptyDatabase()
  await once(database, (sql) => migrateDatabase(sql))
  return database
}

/** With a connection that is closed at once: properties open many databases in one test. */
async function once(address: DatabaseAddress, work: (sql: Database) => PromiseLike<unknown>): Promise<void> {
  const sql = connectDatabase(address, 1)
  try {
    await work(sql)
  } finally {
    await sql.end({ timeout: 1 })
  }
}
