import { randomBytes } from 'node:crypto'
import { inject, onTestFinished } from 'vitest'
import { connectDatabase, type Database, type DatabaseAddress } from '../../../dist/server/stores/postgres/database.js'
import { migrateDatabase } from '../../../dist/server/stores/postgres/migrate.js'

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
  const administration = connectDatabase({ url }, 1)
  await administration`create schema ${administration(schema)}`
  onTestFinished(async () => {
    await administration`drop schema ${administration(schema)} cascade`
    await administration.end()
  })
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
  await migrateDatabase(database.connect(1))
  return database
}
