import type { ListedFile } from '../../../protocol/folder-jobs.js'
import type { JobFiles } from '../job-files.js'
import type { FolderState } from '../local/folder-state.js'
import type { Transaction } from './database.js'
import { jsonText } from './json-text.js'

/** Replaces everything in the database but files and tables by that of a data folder. */
export async function replaceState(sql: Transaction, state: FolderState): Promise<void> {
  const { accounts, sessions, lastSeen, shares, requests, counters, signingKey, jobs, jobFiles } = state
  await sql`delete from accounts`
  await sql`
    insert into accounts (
      id, role, username, password_hash, name, email, is_disabled, quota, is_unlimited, invitation_digest,
      invitation_expires_at, created_at)
    select id, role, username, "passwordHash", name, email, disabled, nullif(quota, 'none')::bigint,
      coalesce(quota = 'none', false), invitation->>'digest', (invitation->>'expiresAt')::timestamptz, "createdAt"
    from ${records(sql, accounts)} (
      id bigint, role text, username text, "passwordHash" text, name text, email text, disabled boolean, quota text,
      invitation json, "createdAt" timestamptz)`
  const seen = [...lastSeen].map(([id, at]) => ({ id, at }))
  await sql`
    update accounts set last_seen_at = row.at from ${records(sql, seen)} (id bigint, at timestamptz)
    where accounts.id = row.id`
  await sql`delete from sessions`
  await sql`
    insert into sessions (id, account_id, client, created_at, last_used_at, expires_at, refresh_id)
    select id, "accountId", client, "createdAt", "lastUsedAt", "expiresAt", "refreshId" from ${records(sql, sessions)} (
      id text, "accountId" bigint, client text, "createdAt" timestamptz, "lastUsedAt" timestamptz,
      "expiresAt" timestamptz, "refreshId" text)`
  await sql`delete from links`
  await sql`
    insert into links (id, account_id, filename, names, created_at, expires_at, password_hash, max_downloads, downloads, opened, note)
    select id, "accountId", filename, names, "createdAt", "expiresAt", "passwordHash", "maxDownloads", downloads, opened, note
    from ${records(sql, shares)} (
      id text, "accountId" bigint, filename text, names json, "createdAt" timestamptz, "expiresAt" timestamptz,
      "passwordHash" text,
      "maxDownloads" int, downloads int, opened bigint, note text)`
  await sql`delete from file_requests`
  await sql`
    insert into file_requests (id, account_id, folder, created_at, expires_at, revoked_at, password_hash, max_files, max_bytes,
      max_file_bytes, files, bytes, opened, note)
    select id, "accountId", folder, "createdAt", "expiresAt", "revokedAt", "passwordHash", "maxFiles", "maxBytes",
      "maxFileBytes", files, bytes, opened, note
    from ${records(sql, requests)} (
      id text, "accountId" bigint, folder text, "createdAt" timestamptz, "expiresAt" timestamptz, "revokedAt" timestamptz,
      "passwordHash" text, "maxFiles" bigint, "maxBytes" bigint, "maxFileBytes" bigint, files bigint, bytes bigint,
      opened bigint, note text)`
  await sql`delete from counters`
  const numbers = Object.entries(counters).map(([name, n]) => ({ name, n }))
  await sql`insert into counters select name, n from ${records(sql, numbers)} (name text, n bigint)`
  await sql`delete from settings where name = 'signing-key'`
  if (signingKey) await sql`insert into settings values ('signing-key', ${signingKey.toString('base64')})`
  await replaceJobs(sql, jobs)
  await replaceJobFiles(sql, jobFiles)
}

async function replaceJobs(sql: Transaction, jobs: FolderState['jobs']): Promise<void> {
  await sql`delete from jobs`
  for (let at = 0; at < jobs.length; at += rowsAtOnce) {
    await sql`
      insert into jobs (id, seq, kind, account, account_id, state, record, receipt, published, uploaded, query, ended_at)
      select job->>'id', seq, job->>'kind', job->>'account', "accountId", job->>'state', job, receipt, published, uploaded, query,
        (job->>'endedAt')::timestamptz
      from ${records(sql, jobs.slice(at, at + rowsAtOnce))} (
        seq bigint, "accountId" bigint, job json, receipt json, published json, uploaded json, query text)`
  }
  await sql`select setval('job_seq', (select coalesce(max(seq), 0) + 1 from jobs), false)`
}

async function replaceJobFiles(sql: Transaction, lists: Pick<JobFiles, 'jobs' | 'list'>): Promise<void> {
  await sql`delete from job_file_lists`
  for (const job of await lists.jobs()) {
    await sql`insert into job_file_lists (job) values (${job})`
    let count = 0
    let isComplete = true
    for (let after: number | null = 0; after !== null; ) {
      const page = await lists.list(job, { after, limit: rowsAtOnce })
      await addJobFiles(sql, job, page.files)
      count += page.files.length
      isComplete &&= page.isComplete
      after = page.next
    }
    await sql`update job_file_lists set files = ${count}, is_cut = ${!isComplete} where job = ${job}`
  }
}

async function addJobFiles(sql: Transaction, job: string, files: readonly ListedFile[]): Promise<void> {
  const lines = files.map((file) => JSON.stringify(file))
  await sql`
    insert into job_files (job, file)
    select ${job}, line::json from unnest(${lines}::text[]) with ordinality as line (line, n) order by n`
}

/** As one parameter; the types of the members follow in parentheses. */
function records(sql: Transaction, rows: readonly object[]) {
  return sql`json_to_recordset(${jsonText(rows)}::text::json) as row`
}

const rowsAtOnce = 1000
