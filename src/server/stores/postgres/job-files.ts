import type { ListedFile } from '../../../protocol/folder-jobs.js'
import type { Clock } from '../../clock.js'
import { KeyedMutex } from '../../concurrency/keyed-mutex.js'
import type { JobFilePage, JobFiles } from '../job-files.js'
import type { Database } from './database.js'

export interface PostgresJobFilesOptions {
  clock: Pick<Clock, 'after'>
  /** Files in one list; default 250,000. */
  maxFiles?: number
  /** Files of a job that wait for the database; default 20,000. */
  maxPending?: number
  /** Called once for each series of failures. */
  onError: (error: unknown) => void
}

export interface PostgresJobFiles extends JobFiles {
  /** Resolves when everything is written, or cannot be. */
  close(): Promise<void>
}

/** Lists that are written some files at a time. Other servers see what is written. */
export function postgresJobFiles(
  database: Database,
  { clock, maxFiles = 250_000, maxPending = 20_000, onError }: PostgresJobFilesOptions,
): PostgresJobFiles {
  const pending = new Map<string, { lines: string[]; isCut: boolean }>()
  const writing = new KeyedMutex()
  let cancelFlush: (() => void) | null = null
  let isFailing = false

  function flushSoon(): void {
    cancelFlush ??= clock.after(flushMs, () => void flushAll())
  }

  async function flushAll(): Promise<void> {
    cancelFlush?.()
    cancelFlush = null
    try {
      for (const job of [...pending.keys()]) await flush(job)
      isFailing = false
    } catch (error) {
      if (!isFailing) onError(error)
      isFailing = true
      flushSoon()
    }
  }

  /** Resolves when all that was added is in the database. */
  function flush(job: string): Promise<void> {
    return writing.run(job, async () => {
      const batch = pending.get(job)
      if (!batch) return
      const count = batch.lines.length
      await write(job, batch.lines.slice(0, count), batch.isCut)
      batch.lines.splice(0, count)
      if (batch.lines.length === 0) pending.delete(job)
    })
  }

  async function write(job: string, lines: string[], isCut: boolean): Promise<void> {
    await database.begin(async (sql) => {
      const [list] = await sql<{ files: number; isCut: boolean }[]>`
        insert into job_file_lists values (${job}, ${lines.length}, ${isCut})
        on conflict (job) do update set files = job_file_lists.files + ${lines.length},
          is_cut = job_file_lists.is_cut or ${isCut}
        returning files, is_cut`
      if (list!.isCut && !isCut) return
      const room = Math.max(0, maxFiles - (list!.files - lines.length))
      if (room < lines.length) await sql`update job_file_lists set is_cut = true where job = ${job}`
      await sql`
        insert into job_files (job, file)
        select ${job}, line::json from unnest(${lines.slice(0, room)}::text[]) with ordinality as line (line, n) order by n`
    })
  }

  return {
    add(jobId, file) {
      const batch = pending.get(jobId) ?? { lines: [], isCut: false }
      pending.set(jobId, batch)
      if (batch.lines.length < maxPending) batch.lines.push(JSON.stringify(file))
      else batch.isCut = true
      flushSoon()
    },

    async list(jobId, { after, limit }) {
      await flush(jobId)
      const [list] = await database<{ isCut: boolean }[]>`select is_cut from job_file_lists where job = ${jobId}`
      const rows = await database<{ position: number; file: ListedFile }[]>`
        select position, file from job_files where job = ${jobId} and position > ${after}
        order by position limit ${limit + 1}`
      const page: JobFilePage = { files: [], next: null, isComplete: list?.isCut === false }
      page.files = rows.slice(0, limit).map(({ file }) => file)
      if (rows.length > limit) page.next = rows[limit - 1]!.position
      return page
    },

    async end(jobId) {
      // A later flush may succeed.
      await flush(jobId).catch(onError)
    },

    async remove(jobId) {
      pending.delete(jobId)
      await writing.run(jobId, () => database`delete from job_file_lists where job = ${jobId}`)
    },

    async jobs() {
      await flushAll()
      return (await database<{ job: string }[]>`select job from job_file_lists`).map(({ job }) => job)
    },

    async close() {
      await flushAll()
      cancelFlush?.()
    },
  }
}

const flushMs = 200
