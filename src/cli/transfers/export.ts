import type { IncomingMessage } from 'node:http'
import { Problem } from '../../protocol/problems.js'
import { exportPath, jobHeader } from '../../protocol/routes.js'
import { answeredProblem, isNetworkError, unreachable } from '../answers.js'
import type { Api } from '../api.js'
import type { HttpClient } from '../http-client.js'
import type { Progress } from '../progress.js'
import { waitHeaders } from '../wait-option.js'
import { readBody } from './body.js'
import { askFate, nameStopped } from './broken-connection.js'
import { findSha256 } from './digests.js'
import { readAnswer, untilResponse } from './exchange.js'
import { hashAndWrite } from './hash-and-write.js'
import { type Hasher, openHasher } from './hasher.js'
import { limitRate, type OwnJob } from './own-job.js'
import type { Target } from './targets.js'

export interface ExportTools {
  readonly http: HttpClient
  readonly api: Api
  readonly progress: Progress
}

export interface Exported {
  readonly bytes: number
  readonly sha256: string
}

/** Brings one file into its target, whole and with the digest that the server told, or not at all. */
export async function exportFile(
  { http, api, progress }: ExportTools,
  name: string,
  /** Opened only once the server has the file. */
  openTarget: () => Promise<Target>,
  { waitSeconds, rateLimit }: { waitSeconds: number | null; rateLimit: number | null },
  job: OwnJob,
): Promise<Exported> {
  const request = http.open('GET', exportPath(name), { ...waitHeaders(waitSeconds), [jobHeader]: job.id })
  let target: Target | undefined
  let hasher: Hasher | undefined
  try {
    if (waitSeconds !== null) progress.say(`${name}: waiting for its turn`)
    else job.begun = true
    request.end()
    const response = await untilResponse(request, job.signal)
    if (response.statusCode !== 200) throw await refusal(http.server, response)
    const body = readBody(response, http.pool)
    job.begun = true
    // Another stream of the same file may have begun the job, which then has an id of its own.
    job.id = String(response.headers[jobHeader.toLowerCase()] ?? job.id)
    await limitRate(api, job, rateLimit)
    hasher = openHasher(lengthOf(response))
    target = await openTarget()
    progress.begin(name, lengthOf(response))
    const { pool } = http
    const bytes = await hashAndWrite(body, { pool, hasher, write: target.write }, (more) => progress.advance(more))
    const sha256 = (await hasher.digest()).toString('hex')
    refuseDamaged(name, response, sha256)
    await job.checkpoint()
    await target.publish()
    return { bytes, sha256 }
  } catch (error) {
    request.destroy()
    if (job.signal.aborted) throw job.signal.reason
    if (!isNetworkError(error)) throw nameStopped(error, 'export', name)
    await askFate(api, job.id)
    throw unreachable(http.server, error)
  } finally {
    progress.end()
    hasher?.close()
    await target?.close()
  }
}

async function refusal(server: string, response: IncomingMessage): Promise<Error> {
  const { status, body, headers } = await readAnswer(response)
  return answeredProblem(server, status, body, headers)
}

function lengthOf(response: IncomingMessage): number | null {
  const length = response.headers['content-length']
  return length === undefined ? null : Number(length)
}

function refuseDamaged(name: string, response: IncomingMessage, sha256: string): void {
  const announced = findSha256(response.headers['repr-digest'])
  if (announced === undefined || announced === sha256) return
  throw new Problem('digest-mismatch', `${name} arrived damaged (SHA-256 ${sha256}, not ${announced}): try again.`)
}
