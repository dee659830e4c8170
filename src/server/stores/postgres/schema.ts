import { Problem } from '../../../protocol/problems.js'
import type { Database } from './database.js'
import { identityTables } from './migrations/001-identities.js'
import { jobTables } from './migrations/002-jobs.js'
import { spaceTables } from './migrations/003-space.js'
import { fileTables } from './migrations/004-files.js'
import { importTables } from './migrations/005-tables.js'
import { serverColumns } from './migrations/006-servers.js'
import { processColumn } from './migrations/007-processes.js'
import { uploadedColumn } from './migrations/008-uploaded.js'
import { jobPageIndexes } from './migrations/009-job-pages.js'
import { shareColumns } from './migrations/010-shares.js'
import { accountColumns } from './migrations/011-accounts.js'
import { requestTables } from './migrations/012-requests.js'
import { jobFacts } from './migrations/013-job-facts.js'

/**
 * In order; version n is the n-th. A released one is never changed, and none takes anything away that the release before
 * it uses: servers of both run side by side during an upgrade.
 */
const migrations: readonly string[] = [
  identityTables,
  jobTables,
  spaceTables,
  fileTables,
  importTables,
  serverColumns,
  processColumn,
  uploadedColumn,
  jobPageIndexes,
  shareColumns,
  accountColumns,
  requestTables,
  jobFacts,
]

/**
 * Brings the schema up to date, in one transaction. Servers that start at the same time wait for each other. Throws
 * without changes if the schema is newer than this program.
 */
export async function migrateDatabase(database: Database, known = migrations): Promise<void> {
  await database.begin(async (sql) => {
    await sql`select pg_advisory_xact_lock(hashtextextended('filejobs schema ' || current_schema(), 0))`
    await sql`create table if not exists schema_version (version int primary key, applied_at timestamptz not null)`
    const [row] = await sql<{ version: number | null }[]>`select max(version) as version from schema_version`
    const version = row?.version ?? 0
    if (version > known.length) throw tooNew(version, known.length)
    for (const [index, migration] of known.entries()) {
      if (index < version) continue
      await sql.unsafe(migration)
      await sql`insert into schema_version values (${index + 1}, clock_timestamp())`
    }
  })
}

/** For programs that only read. Throws `storage-unavailable` if the schema is not the one of this program. */
export async function checkSchema(database: Database): Promise<void> {
  const [found] = await database<{ isThere: boolean }[]>`select to_regclass('schema_version') is not null as is_there`
  const rows = found!.isThere
    ? await database<{ version: number }[]>`select max(version) as version from schema_version`
    : []
  const version = rows[0]?.version ?? 0
  if (version > migrations.length) throw tooNew(version, migrations.length)
  if (version === migrations.length) return
  const message = version === 0 ? 'No server has used the database' : 'The database is that of an older filejobs'
  throw new Problem('storage-unavailable', `${message}: start a server of this version on it first.`)
}

function tooNew(version: number, known: number): Problem {
  const found = `The database has version ${version} of the schema, and this program knows ${known} at most`
  return new Problem('storage-unavailable', `${found}: a newer filejobs has upgraded it. Upgrade this one, too.`)
}
