import type { PublishedPartial, PublishTarget } from '../partials.js'
import type { Transaction } from '../postgres/database.js'
import { jsonText } from '../postgres/json-text.js'
import { claimLost } from '../storage-fault.js'
import { discardUnpublished } from './objects.js'
import type { NewRow } from './publish-rows.js'

/** Takes the content of a partial into a stage. */
export interface StageReceiver {
  receive(file: ReceivedContent, target: PublishTarget & { stage: string }): Promise<PublishedPartial>
}

export interface ReceivedContent {
  /** The id of the partial. */
  partial: string
  content: string
  size: number
}

/** Takes its content from a partial, in the transaction that gives it another owner. Its state stays. */
export async function releasePartial(
  sql: Transaction,
  { partial, content, node }: { partial: string; content: string; node: number },
): Promise<void> {
  const [own] = await Promise.all([
    sql`
      update partials set content = null
      where id = ${partial} and node = ${node} and content = ${content} returning id`,
    sql`delete from partials where id = ${partial} and state is null`,
  ])
  if (own.length === 0) throw claimLost()
}

/** The name in the state of a partial, for who records the end of its upload if this server dies before that. */
export async function renameState(sql: Transaction, partial: string, name: string): Promise<void> {
  await sql`
    update partials set state = jsonb_set(state::jsonb, '{name}', to_jsonb(${name}::text))::json
    where id = ${partial} and state is not null`
}

/** Throws if others have found this server dead, and removed the stage. */
export async function lockStage(sql: Transaction, id: string, node: number): Promise<void> {
  const own = await sql`select from stages where id = ${id} and node = ${node} for update`
  if (own.length === 0) throw claimLost()
}

/** Adds files to a stage, or replaces them. */
export async function stageRows(sql: Transaction, stage: string, files: readonly NewRow[]): Promise<void> {
  const before = await sql<{ content: string }[]>`
    delete from staged_files where stage = ${stage} and name = any(${files.map(({ name }) => name)}) returning content`
  await discardUnpublished(
    sql,
    before.map(({ content }) => content),
  )
  await sql`
    insert into staged_files (stage, name, content, size, sha256, type, precondition)
    select ${stage}, name, content, size, sha256, type, precondition
    from json_to_recordset(${jsonText(files)}::text::json)
      as file (name text, content text, size bigint, sha256 text, type text, precondition json)`
}

/** In the order of the database. */
export async function stagedRows(sql: Transaction, stage: string): Promise<NewRow[]> {
  const rows = await sql<(Omit<NewRow, 'precondition'> & { precondition: NewRow['precondition'] | null })[]>`
    select name, content, size, sha256, type, precondition from staged_files where stage = ${stage} order by name`
  return rows.map(({ precondition, ...row }) => ({ ...row, precondition: precondition ?? undefined }))
}

/** Adds a folder, which ends with a slash, to a stage. */
export async function stageFolder(sql: Transaction, stage: string, folder: string): Promise<void> {
  await sql`insert into staged_folders (stage, name) values (${stage}, ${folder}) on conflict do nothing`
}

export async function stagedFolders(sql: Transaction, stage: string): Promise<string[]> {
  const rows = await sql<{ name: string }[]>`select name from staged_folders where stage = ${stage} order by name`
  return rows.map(({ name }) => name)
}

/** Removes a stage with its files. A missing one is not an error. */
export async function discardStage(sql: Transaction, id: string): Promise<void> {
  const files = await sql<{ content: string }[]>`delete from staged_files where stage = ${id} returning content`
  await sql`delete from stages where id = ${id}`
  await discardUnpublished(
    sql,
    files.map(({ content }) => content),
  )
}
