import { setTimeout as delay } from 'node:timers/promises'
import type { Api } from '../../client/api.js'
import { waitHeaders } from '../../client/transfer-options.js'
import type { JobRecord } from '../../protocol/jobs.js'
import { isProblemCode, Problem } from '../../protocol/problems.js'
import { jobHeader, jobPath, routes, tablePath } from '../../protocol/routes.js'
import type { ImportAnswer, ImportBody, TableImport, TableRecord } from '../../protocol/tables.js'
import type { Progress } from '../progress.js'
import type { OwnJob } from './own-job.js'
import { waitForSlot } from './slot-wait.js'

export interface ImportTools {
  readonly api: Api
  readonly progress: Progress
  /** Tells the user something beside the result. */
  note(text: string): void
}

export interface Imported extends TableImport {
  readonly table: string
}

/** Between two requests for the progress: short at first, because most imports are. */
const [firstAskMs, askEveryMs] = [20, 250]
/** Longer than the wait: the response arrives by its end. */
const answerMs = 60_000

/** An import of one or more files on the server. */
export type FilesToImport = Omit<ImportBody, 'filename'> & { readonly filenames: readonly string[] }

/**
 * Imports files on the server, and resolves when their rows are available, in the order of the files. Throws a Problem or a
 * Failure.
 */
export function requestImport(
  tools: ImportTools,
  request: FilesToImport,
  waitSeconds: number | null,
  job: OwnJob,
): Promise<Imported[]> {
  const waiting = { name: titleOf(request), waitSeconds, signal: job.signal }
  return waitForSlot(tools, waiting, (seconds) => importOnce(tools, request, seconds, job))
}

async function importOnce(
  { api, progress }: ImportTools,
  { filenames, ...options }: FilesToImport,
  waitSeconds: number | null,
  job: OwnJob,
): Promise<Imported[]> {
  const title = titleOf({ filenames })
  // An import that waits for a slot has a job to stop as well.
  job.begun = true
  const settled = new AbortController()
  const asked = api.send<ImportAnswer>('POST', routes.import, {
    json: { ...options, ...(filenames.length === 1 ? { filename: filenames[0] } : { filenames }) },
    headers: { ...waitHeaders(waitSeconds), [jobHeader]: job.id },
    timeoutMs: (waitSeconds ?? 0) * 1000 + answerMs,
    signal: job.signal,
  })
  // The request of a waiting import is answered at its end; until then its job shows the progress.
  const watch = AbortSignal.any([settled.signal, job.signal])
  const watched = waitSeconds === null ? undefined : follow(api, progress, title, job, watch).catch(() => {})
  try {
    const answer = await asked
    settled.abort()
    await watched
    if (answer.imports) return answer.imports.map((each) => ({ table: answer.table!, ...each }))
    const ended = await follow(api, progress, title, job, job.signal)
    await job.checkpoint()
    return await findImports(api, ended, filenames)
  } finally {
    settled.abort()
    progress.end()
  }
}

/** Shows the job's progress until it ends, and returns it if it succeeded. Throws its error otherwise. */
async function follow(
  api: Api,
  progress: Progress,
  name: string,
  job: OwnJob,
  signal: AbortSignal,
): Promise<JobRecord> {
  let shown = 0
  let begun = false
  let askMs = firstAskMs
  for (;;) {
    const record = await api.send<JobRecord>('GET', jobPath(job.id), { signal })
    if (record.state === 'waiting') progress.say(`${name}: waiting`)
    else {
      if (!begun) progress.begin(name, record.totalBytes)
      begun = true
      progress.advance(record.bytes - shown)
      shown = record.bytes
    }
    if (record.state === 'done') return record
    if (record.state === 'stopped' || record.state === 'failed') throw problemOf(record)
    await delay(askMs, undefined, { signal })
    askMs = Math.min(askEveryMs, askMs * 1.5)
  }
}

function problemOf({ error, stoppedBy, file }: JobRecord): Problem {
  if (!error || !isProblemCode(error.code)) {
    return new Problem('job-stopped', `The import of ${file} was stopped by ${stoppedBy}.`, { stoppedBy })
  }
  const { code, message, ...details } = error
  return new Problem(error.code, message, details)
}

/** The result of a finished job: the newest import of each file in the table. */
async function findImports(api: Api, { table }: JobRecord, filenames: readonly string[]): Promise<Imported[]> {
  const { imports } = await api.send<TableRecord>('GET', tablePath(table!))
  return filenames.map((filename) => {
    const found = imports.find(({ file }) => file === filename)
    if (!found) throw new Problem('table-not-found', `The rows of ${filename} were removed from ${table} at once.`)
    return { table: table!, ...found }
  })
}

function titleOf({ filenames }: Pick<FilesToImport, 'filenames'>): string {
  return filenames.length === 1 ? filenames[0]! : `${filenames.length} files`
}
