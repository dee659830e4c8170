import { readdir, readFile, stat, utimes } from 'node:fs/promises'
import { join } from 'node:path'
import { isCluster } from '../run/is-cluster.js'
import { queryBackend } from './backend.js'

/**
 * What the server of a data folder has received and not published, by the names of the files in `partial/`; in a database, a
 * row of a partial stands for `ID.bin`, and one with a state also for `ID.json`.
 */
export async function partialNames(dataFolder: string): Promise<string[]> {
  if (!isCluster) return readdir(join(dataFolder, 'partial'))
  const rows = await queryBackend(
    dataFolder,
    (sql) => sql<{ name: string }[]>`
      select id || '.bin' as name from partials where content is not null
      union all select id || '.json' from partials where state is not null
      union all select id || '.stage' from stages
      union all select key from objects where state in ('pending', 'stored')
        and not exists (select from partials where partials.content = objects.content)
        and not exists (select from staged_files where staged_files.content = objects.content)`,
  )
  return rows.map(({ name }) => name)
}

/** How many bytes of a partial outlive its server; 0 if there is none. */
export async function partialBytes(dataFolder: string, id: string): Promise<number> {
  if (!isCluster) return (await stat(join(dataFolder, 'partial', `${id}.bin`)).catch(() => null))?.size ?? 0
  const [row] = await queryBackend(
    dataFolder,
    (sql) => sql<{ bytes: number }[]>`
      select coalesce(sum(objects.size), 0)::bigint as bytes
      from partials join objects using (content) where id = ${id} and objects.state = 'stored'`,
  )
  return row!.bytes
}

/** The same, of the partial that has most. */
export async function mostPartialBytes(dataFolder: string): Promise<number> {
  const names = (await partialNames(dataFolder)).filter((name) => name.endsWith('.bin'))
  const sizes = await Promise.all(names.map((name) => partialBytes(dataFolder, name.slice(0, -'.bin'.length))))
  return Math.max(0, ...sizes)
}

/** Whether a request waits to continue an interrupted upload: only a database has that. */
export async function waitsToContinue(dataFolder: string, id: string): Promise<boolean> {
  const rows = await queryBackend(dataFolder, (sql) => sql`select from jobs where id = ${id} and is_waiting`)
  return rows.length > 0
}

/** The stored resume state of a tus upload, as JSON. */
export async function resumeState(dataFolder: string, id: string): Promise<string> {
  if (!isCluster) return readFile(join(dataFolder, 'partial', `${id}.json`), 'utf8')
  const [row] = await queryBackend(
    dataFolder,
    (sql) => sql<{ state: string }[]>`select state::text as state from partials where id = ${id}`,
  )
  return row?.state ?? ''
}

/** The stored records of jobs, as JSON. */
export async function storedHistory(dataFolder: string): Promise<string> {
  if (!isCluster) return readFile(join(dataFolder, 'jobs.ndjson'), 'utf8')
  const rows = await queryBackend(
    dataFolder,
    (sql) => sql<{ record: string }[]>`select record::text as record from jobs`,
  )
  return rows.map(({ record }) => record).join('\n')
}

/** The stored list of the files of a job of many files, as JSON. */
export async function storedFileList(dataFolder: string, id: string): Promise<string> {
  if (!isCluster) return readFile(join(dataFolder, 'job-files', `${id}.ndjson`), 'utf8').catch(() => '')
  const rows = await queryBackend(
    dataFolder,
    (sql) => sql<{ file: string }[]>`select file::text as file from job_files where job = ${id} order by position`,
  )
  return rows.map(({ file }) => file).join('\n')
}

/** The stored links to files, as JSON. */
export async function storedShares(dataFolder: string): Promise<string> {
  if (!isCluster) return readFile(join(dataFolder, 'shares.json'), 'utf8')
  const rows = await queryBackend(
    dataFolder,
    (sql) => sql<{ share: string }[]>`select row_to_json(links)::text as share from links`,
  )
  return rows.map(({ share }) => share).join('\n')
}

/** The stored links for uploads, as JSON. */
export async function storedRequests(dataFolder: string): Promise<string> {
  if (!isCluster) return readFile(join(dataFolder, 'requests.json'), 'utf8')
  const rows = await queryBackend(
    dataFolder,
    (sql) => sql<{ request: string }[]>`select row_to_json(file_requests)::text as request from file_requests`,
  )
  return rows.map(({ request }) => request).join('\n')
}

/** The names of an account's files. */
export async function storedFiles(dataFolder: string, account: string): Promise<string[]> {
  if (!isCluster) {
    const folder = join(dataFolder, 'uploads', account.replace(':', '/'))
    const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => [])
    const files = entries.filter((entry) => entry.isFile())
    return files.map(({ parentPath, name }) => join(parentPath, name).slice(folder.length + 1))
  }
  const rows = await queryBackend(
    dataFolder,
    (sql) => sql<{ name: string }[]>`select name from files where account = ${account} order by path`,
  )
  return rows.map(({ name }) => name)
}

/** The names of an account's tables of which anything is stored. */
export async function storedTables(dataFolder: string, account: string): Promise<string[]> {
  if (!isCluster) return readdir(join(dataFolder, 'tables', account.replace(':', '/'))).catch(() => [])
  const rows = await queryBackend(
    dataFolder,
    (sql) => sql<{ name: string }[]>`
      select name from stored_tables where account = ${account}
      union select table_name from imports where account = ${account}`,
  )
  return rows.map(({ name }) => name)
}

/** Changes when a file was published; `space` is `role/username`. */
export async function setPublishTime(dataFolder: string, space: string, name: string, time: Date): Promise<void> {
  if (!isCluster) return utimes(join(dataFolder, 'uploads', space, name), time, time)
  const account = space.replace('/', ':')
  await queryBackend(
    dataFolder,
    (sql) => sql`update files set published_at = ${time} where account = ${account} and name = ${name}`,
  )
}
