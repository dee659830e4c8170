import { Problem } from '../../../protocol/problems.js'
import { type Account, accountName } from '../accounts.js'
import type { Database, Transaction } from './database.js'
import { endNodes } from './node-end.js'

/** In `nodes`, to tell it from servers. */
export const migrationNode = 'filejobs migrate'

/**
 * Begins to move a data folder into the database, or continues, in the transaction that changes it. What an earlier run was
 * writing is fenced off. Throws `name-conflict` if the database has other data.
 */
export async function beginMigration(sql: Transaction, accounts: readonly Account[]): Promise<void> {
  await lockMigration(sql)
  const source = identityOf(accounts)
  const known = await findMigration(sql)
  if (known && known.source !== source) {
    const message = `The database has what was moved from another data folder, whose first account is ${known.source}`
    throw new Problem('name-conflict', `${message}: give an empty database, such as "create database" makes.`)
  }
  if (!known) await checkEmpty(sql)
  await save(sql, { source, isFinished: false })
  const earlier = await sql<{ id: number }[]>`select id from nodes where name = ${migrationNode}`
  await endNodes(
    sql,
    earlier.map(({ id }) => id),
  )
}

/** From now on servers may start. */
export async function finishMigration(database: Database): Promise<void> {
  await database.begin(async (sql) => {
    await lockMigration(sql)
    const { source } = (await findMigration(sql))!
    await save(sql, { source, isFinished: true })
  })
}

/** Of a server that starts: it will change what was moved, so that no migration may continue. Throws `busy` before the end of one. */
export async function closeMigration(database: Database): Promise<void> {
  await database.begin(async (sql) => {
    await lockMigration(sql)
    const migration = await findMigration(sql)
    if (migration && !migration.isFinished) {
      const message = 'A data folder is being moved into this database, and not all of it has arrived'
      throw new Problem('busy', `${message}: run "filejobs migrate" to its end first.`)
    }
    await sql`delete from settings where name = ${settingName}`
  })
}

interface Migration {
  source: string
  isFinished: boolean
}

async function lockMigration(sql: Transaction): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtextextended(current_schema() || ' migration', 0))`
}

async function findMigration(sql: Transaction): Promise<Migration | undefined> {
  const [row] = await sql<{ value: string }[]>`select value from settings where name = ${settingName}`
  return row && (JSON.parse(row.value) as Migration)
}

async function save(sql: Transaction, migration: Migration): Promise<void> {
  const value = JSON.stringify(migration)
  await sql`
    insert into settings values (${settingName}, ${value}) on conflict (name) do update set value = excluded.value`
}

async function checkEmpty(sql: Transaction): Promise<void> {
  const [found] = await sql<{ accounts: number; files: number; jobs: number }[]>`
    select (select count(*) from accounts) as accounts, (select count(*) from files) as files,
      (select count(*) from jobs) as jobs`
  const { accounts, files, jobs } = found!
  if (accounts + files + jobs === 0) return
  const message = `The database is in use: it has ${accounts} accounts, ${files} files and ${jobs} jobs`
  throw new Problem('name-conflict', `${message}. A data folder can only be moved into an empty one.`)
}

/** The same for each copy of a folder, and for no other folder. */
function identityOf(accounts: readonly Account[]): string {
  const [first] = [...accounts].sort((a, b) => a.id - b.id)
  if (first) return `${accountName(first)}, created ${first.createdAt}`
  const reason = 'the folder has no account: start a server on it once, or start the new servers without it'
  throw new Problem('invalid-request', `--data: ${reason}.`, { field: '--data' })
}

const settingName = 'migration'
