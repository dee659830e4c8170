import { stat } from 'node:fs/promises'
import type { ArchiveFormat } from '../../protocol/archives.js'
import type { JobRecord } from '../../protocol/jobs.js'
import { exportPath, jobHeader, jobPath, parsePublished, routes } from '../../protocol/routes.js'
import { answeredProblem, isNetworkError } from '../answers.js'
import { Failure } from '../exit-codes.js'
import { remoteName } from '../remote-name.js'
import { readBody } from './body.js'
import { askEnded, wordEnd } from './broken-connection.js'
import { readAnswer, untilResponse } from './exchange.js'
import type { OwnJob } from './own-job.js'
import { waitForSlot } from './slot-wait.js'
import type { Target } from './targets.js'
import { type Pace, paceHeaders, type TransferTools } from './tools.js'

/** An archive of files and folders on the server. */
export interface ArchiveSource {
  /** The name to show. */
  readonly name: string
  readonly names: readonly string[]
  readonly format: ArchiveFormat
}

/** The written archive. */
export interface ExportedArchive {
  readonly bytes: number
  /** How many it contains; undefined if the server cannot be reached. */
  readonly files: number | undefined
}

/**
 * The archive that these sources and this target mean: folders go to stdout as a tar, and to a file by its extension. Undefined
 * if they mean files. Throws a Failure for published folders beside others.
 */
export async function archiveSourceOf(
  sources: readonly string[],
  target: string | undefined,
): Promise<ArchiveSource | undefined> {
  const names = sources.map(remoteName)
  const format = target === '-' ? 'tar' : /\.(tar|zip)$/i.exec(target ?? '')?.[1]?.toLowerCase()
  if (!names.some((name) => name.endsWith('/')) || (format !== 'tar' && format !== 'zip')) return undefined
  if (await isFolder(target)) return undefined
  if (names.length > 1 && names.some((name) => parsePublished(name))) {
    throw new Failure('wrongUse', 'A published folder is exported as an archive by itself: name it alone.')
  }
  return { name: names.join(' '), names, format }
}

/**
 * Exports an archive to a target, whole or not at all; stdout has received a part of it if that fails. It cannot be resumed:
 * the server makes it anew each time.
 */
export function exportArchive(
  tools: TransferTools,
  wanted: ArchiveSource,
  openTarget: () => Promise<Target>,
  pace: Pace,
  job: OwnJob,
): Promise<ExportedArchive> {
  const { waitSeconds } = pace
  return waitForSlot(tools, { name: wanted.name, waitSeconds, signal: job.signal }, (seconds) =>
    exportOnce(tools, wanted, openTarget, { ...pace, waitSeconds: seconds }, job),
  )
}

async function exportOnce(
  tools: TransferTools,
  wanted: ArchiveSource,
  openTarget: () => Promise<Target>,
  pace: Pace,
  job: OwnJob,
): Promise<ExportedArchive> {
  const { http, api, progress } = tools
  const request = openRequest(tools, wanted, { ...paceHeaders(pace), [jobHeader]: job.id })
  let target: Target | undefined
  let endCounting = () => {}
  try {
    job.begun = pace.waitSeconds === null
    const response = await untilResponse(request, job.signal)
    if (response.statusCode !== 200) {
      const { status, body, headers } = await readAnswer(response)
      throw answeredProblem(http.server, status, body, headers)
    }
    const body = readBody(response, http.pool)
    job.begun = true
    target = await openTarget()
    await target.restart(0)
    progress.begin(wanted.name, null)
    endCounting = showFiles(tools, wanted.name, job.id)
    let bytes = 0
    for await (const chunk of body) {
      await target.write(chunk, bytes)
      bytes += chunk.length
      progress.advance(chunk.length)
      http.pool.give(chunk)
    }
    await job.checkpoint()
    await target.publish()
    const record = await api.send<JobRecord>('GET', jobPath(job.id)).catch(() => undefined)
    return { bytes, files: record?.files?.done }
  } catch (error) {
    request.destroy()
    job.signal.throwIfAborted()
    if (isNetworkError(error)) await askEnded(api, job.id)
    throw wordEnd(error, http.server, 'export', wanted.name)
  } finally {
    endCounting()
    progress.end()
    await target?.close(false)
  }
}

function openRequest({ http }: TransferTools, { names, format }: ArchiveSource, headers: Record<string, string>) {
  const [only] = names
  if (only !== undefined && names.length === 1) {
    const request = http.open('GET', `${exportPath(only)}?archive=${format}`, headers)
    request.end()
    return request
  }
  const body = JSON.stringify({ files: names, archive: format })
  const length = String(Buffer.byteLength(body))
  const request = http.open('POST', routes.export, {
    ...headers,
    'content-type': 'application/json',
    'content-length': length,
  })
  request.end(body)
  return request
}

/** Shows how many files were sent, as the server counts them. Returns a function that ends it. */
function showFiles({ api, progress }: TransferTools, name: string, jobId: string): () => void {
  if (!progress.rename) return () => {}
  const timer = setInterval(async () => {
    const record = await api.send<JobRecord>('GET', jobPath(jobId)).catch(() => undefined)
    const { done, total } = record?.files ?? { done: 0, total: null }
    const of = total === null ? '' : ` of ${total.toLocaleString('en')}`
    progress.rename?.(`${name}: ${done.toLocaleString('en')}${of} files ·`)
  }, countEveryMs)
  return () => clearInterval(timer)
}

async function isFolder(target: string | undefined): Promise<boolean> {
  if (target === undefined || target === '-') return false
  return (await stat(target).catch(() => undefined))?.isDirectory() ?? false
}

const countEveryMs = 500
