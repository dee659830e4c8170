/**
 * Fills the database of servers: accounts, of each a session, some ended jobs and files, and more of the account `bench`; and paused jobs of a
 * server that is not there, 20 of an account.
 */
export async function fillTables(sql, { accounts, endedJobs, pausedJobs, files }) {
  await sql`
    insert into accounts (id, role, username, password_hash)
    select ${firstAccount} + n, 'user', 'account-' || n, 'none' from generate_series(1, ${accounts}::int) as n`
  await sql`
    insert into sessions (id, account_id, client, created_at, last_used_at, expires_at)
    select gen_random_uuid()::text, ${firstAccount} + n, 'none', now(), now(), now() + interval '1 day'
    from generate_series(1, ${accounts}::int) as n`
  await sql`
    insert into nodes (name, expires_at) values ('elsewhere', clock_timestamp() + interval '1 day')`
  await insertJobs(sql, accounts, { from: 1, to: endedJobs })
  await insertJobs(sql, accounts, { from: endedJobs + 1, to: endedJobs + pausedJobs, isPaused: true })
  await sql`
    with new_files as (
      select gen_random_uuid()::text as content, 'folder/file-' || n as name,
        ${accountOf(sql, accounts)} as account
      from generate_series(1, ${files}::int) as n
    ), new_objects as (
      insert into objects (key, content, size, state) select 'o/' || content, content, 4096, 'live' from new_files
    )
    insert into files (account, path, name, folded, content, size, sha256, type, published_at, is_date_strong)
    select account, decode(regexp_replace(encode(convert_to(name, 'UTF8'), 'hex'), '(..)', '00\\1', 'g'), 'hex'), name, name, content,
      4096, repeat('0', 64), 'text/plain', clock_timestamp(), true
    from new_files`
  await sql`vacuum (analyze) accounts, sessions, jobs, objects, files`
}

/** A tenth of everything is of the account `bench`. */
function accountOf(sql, accounts) {
  return sql`case when n % 10 = 0 then 'user:bench' else 'user:account-' || (1 + n % ${accounts}::int) end`
}

async function insertJobs(sql, accounts, { from, to, isPaused = false }) {
  const account = isPaused ? sql`'user:account-' || (n / 20)` : accountOf(sql, accounts)
  await sql`
    insert into jobs (id, kind, account, account_id, state, record, node, slot, turn, ended_at)
    select id, 'upload', account, account_id, state,
      json_build_object('id', id, 'kind', 'upload', 'account', account, 'file', 'folder/file-' || n, 'table', null, 'state', state,
        'bytes', 4096, 'totalBytes', 8192, 'percent', 50, 'rows', null, 'files', null, 'rate', null, 'rateLimit', null,
        'startedAt', started_at, 'endedAt', ended_at, 'stoppedBy', null, 'error', null),
      node, slot, turn, ended_at
    from (
      select n, '00000000-0000-4000-8000-' || lpad(n::text, 12, '0') as id, ${account} as account,
        case when ${account} = 'user:bench' then (select id from accounts where username = 'bench')
          else ${firstAccount} + substring(${account} from 14)::int end as account_id,
        case when ${isPaused} then 'paused' when n % 100 = 1 then 'failed' else 'done' end as state,
        to_char(now() - interval '1 day', 'YYYY-MM-DD"T"HH24:MI:SS.000Z') as started_at,
        case when not ${isPaused} then now() end as ended_at,
        case when ${isPaused} then (select max(id) from nodes) end as node,
        case when ${isPaused} then n % 20 end as slot, case when ${isPaused} then nextval('job_turns') end as turn
      from generate_series(${from}::int, ${to}::int) as n
    ) as job`
}

const firstAccount = 1_000_000
