import { randomUUID } from 'node:crypto'
import type { ClientRequest, OutgoingHttpHeaders } from 'node:http'
import type { JobRecord } from '../../dist/protocol/jobs.js'
import { type Answer, answerOf, type Caller } from './calls.js'
import { eventually } from './eventually.js'

/** Opens a job of many files and returns its id. */
export async function openFolderJob(caller: Caller, name = 'photos/', options: object = {}): Promise<string> {
  const { status, json } = await caller.post('/jobs', { kind: 'upload', name, ...options })
  if (status !== 201) throw new Error(`POST /jobs: ${status} ${json?.message}`)
  return json.id
}

export function partOf(id: string, more: OutgoingHttpHeaders = {}): OutgoingHttpHeaders {
  return { 'Filejobs-Part-Of': id, ...more }
}

/** The answer to the end of a job. */
export function finish(caller: Caller, id: string): Promise<Answer> {
  return caller.post(`/jobs/${id}/finish`)
}

export interface HeldStream {
  request: ClientRequest
  answer: Promise<Answer>
  /** Sends the rest. */
  finish(): void
}

/** Begins to upload files of 100 bytes as streams of a job, sends a byte of each, and waits until all have arrived. */
export async function holdStreams(caller: Caller, id: string, names: string[]): Promise<HeldStream[]> {
  const before = (await caller.job(id)).bytes
  const streams = names.map((name) => {
    const headers = partOf(id, { 'Content-Length': size })
    const request = caller.open(`/files/${name}`, { method: 'PUT', headers })
    const answer = answerOf(request)
    answer.catch(() => {})
    request.write('x')
    return { request, answer, finish: () => void request.end(Buffer.alloc(size - 1, 'x')) }
  })
  await eventually('a byte of each arrives', async () => (await caller.job(id)).bytes === before + names.length)
  return streams
}

export function untilJob(caller: Caller, id: string, state: JobRecord['state']): Promise<JobRecord> {
  return eventually(`the job is ${state}`, async () => {
    const job = await caller.job(id)
    return job.state === state && job
  })
}

/** Waits until a job is being finished: it admits no more streams. */
export function untilFinishing(caller: Caller, id: string): Promise<true> {
  return eventually('the job admits no more streams', async () => {
    // Where it is still admitted, it is refused by its condition: nothing is published.
    const { status } = await expectContinue(caller, '/files/photos/late', { ...partOf(id), 'If-Match': '"none"' })
    return status === 409
  })
}

/** The status of an upload that waits for `100 Continue`, and whether it got one. */
export async function expectContinue(
  caller: Caller,
  path: string,
  headers: OutgoingHttpHeaders,
  method = 'PUT',
): Promise<Answer & { continued: boolean }> {
  const request = caller.open(path, { method, headers: { 'Content-Length': 5, Expect: '100-continue', ...headers } })
  let continued = false
  request.on('continue', () => {
    continued = true
    request.end('bytes')
  })
  request.flushHeaders()
  const answer = await answerOf(request)
  request.destroy()
  return { ...answer, continued }
}

export const unknownId = randomUUID()
const size = 100
