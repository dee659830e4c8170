import { jobHeader, routes } from '../../protocol/routes.js'
import { Refusal, Unreachable } from '../api.js'
import { type TusAnswer, type TusRequest, tusRequest } from './tus-request.js'
import type { UnfinishedUploads } from './unfinished.js'

export interface TusUpload {
  name: string
  file: File
  /** Whether an existing file of that name may be replaced. */
  replace: boolean
  unfinished: UnfinishedUploads
  signal: AbortSignal
  /** Called when the upload has a job. */
  onJob(id: string): void
  /** Called with the bytes that the server had when the upload resumed. */
  onResume(offset: number): void
  /** Called when the connection is lost and retried, and when it is restored. */
  onLost(isLost: boolean): void
  /**
   * How long a request may make no progress before its connection counts as dead, depending on the known state of the
   * server.
   */
  mostSilenceMs(): number
}

/**
 * Uploads a file by tus: resumes earlier attempts, including those before a reload, and retries lost connections.
 * Resolves when the file is published. Throws `Refusal`, and the signal's reason.
 */
export async function tusUpload(upload: TusUpload): Promise<void> {
  const { name, file, unfinished, signal } = upload
  const creation: Creation = { id: null }
  let place = await keepTrying(upload, () => findPlace(upload, creation))
  for (let pauseMs = leastPauseMs; place.offset < file.size; ) {
    const before = place.offset
    try {
      const answer = await request(upload, 'PATCH', `${routes.tus}/${place.id}`, {
        headers: { 'Upload-Offset': String(place.offset) },
        // Chromium reads a whole file in the process that sends it, but a slice in another process, for twice the CPU
        // time.
        body: place.offset === 0 ? file : file.slice(place.offset),
      })
      place.offset = offsetOf(answer)
      upload.onLost(false)
    } catch (error) {
      if (!mayTryAgain(error)) throw error
      upload.onLost(!mustWait(error))
      await pause(pauseMs, signal)
      place = await keepTrying(upload, () => look(place.id, upload))
      upload.onLost(false)
    }
    pauseMs = place.offset > before ? leastPauseMs : Math.min(pauseMs * 2, mostPauseMs)
  }
  const known = unfinished.find(name, file)
  if (known) unfinished.remove(known.id)
}

interface Place {
  id: string
  offset: number
}

/** The response of an earlier creation may have been lost: the upload may exist. */
interface Creation {
  id: string | null
}

/** The offset of an earlier attempt, or a new upload. */
async function findPlace(upload: TusUpload, creation: Creation): Promise<Place> {
  const { name, file, unfinished } = upload
  if (creation.id !== null) unfinished.add(creation.id, name, file)
  const known = unfinished.find(name, file)
  if (known) {
    try {
      const place = await look(known.id, upload)
      upload.onJob(place.id)
      upload.onResume(place.offset)
      return place
    } catch (error) {
      if (!(error instanceof Refusal) || error.status === 401) throw error
      creation.id = null
      // It has ended or expired: create a new one.
      unfinished.remove(known.id)
    }
  }
  return create(upload, creation)
}

async function look(id: string, upload: TusUpload): Promise<Place> {
  return { id, offset: offsetOf(await request(upload, 'HEAD', `${routes.tus}/${id}`)) }
}

async function create(upload: TusUpload, creation: Creation): Promise<Place> {
  const { name, file, replace, unfinished, onJob } = upload
  const id = newJobId()
  creation.id = id
  onJob(id)
  const whole = file.size > 0 && file.size <= creationBytes
  const answer = await request(upload, 'POST', routes.tus, {
    headers: {
      'Upload-Length': String(file.size),
      'Upload-Metadata': metadataOf({ filename: name, ...(file.type ? { filetype: file.type } : {}) }),
      [jobHeader]: id,
      // Another upload of the account may be running elsewhere: this one waits for a slot.
      Prefer: 'wait=86400',
      ...(replace ? {} : { 'If-None-Match': '*' }),
    },
    ...(whole ? { body: file } : {}),
  })
  if (file.size > creationBytes) unfinished.add(id, name, file)
  return { id, offset: offsetOf(answer) }
}

/** Sends one request. Also throws `Unreachable` if it makes no progress. */
async function request(
  { signal, mostSilenceMs }: TusUpload,
  method: 'POST' | 'HEAD' | 'PATCH',
  path: string,
  { headers, body }: Pick<TusRequest, 'headers' | 'body'> = {},
): Promise<TusAnswer> {
  const silence = new AbortController()
  let movedAt = performance.now()
  const onSent = () => {
    movedAt = performance.now()
  }
  const watch = setInterval(() => {
    if (performance.now() - movedAt > mostSilenceMs()) silence.abort(new Unreachable())
  }, 500)
  try {
    const either = AbortSignal.any([signal, silence.signal])
    return await tusRequest(method, path, {
      ...(headers && { headers }),
      ...(body && { body }),
      signal: either,
      onSent,
    })
  } finally {
    clearInterval(watch)
  }
}

/** Retries requests that got no response, or a temporary failure. */
async function keepTrying<T>(upload: TusUpload, attempt: () => Promise<T>): Promise<T> {
  for (let pauseMs = leastPauseMs; ; pauseMs = Math.min(pauseMs * 2, mostPauseMs)) {
    try {
      const result = await attempt()
      upload.onLost(false)
      return result
    } catch (error) {
      if (!mayTryAgain(error)) throw error
      upload.onLost(!mustWait(error))
      await pause(pauseMs, upload.signal)
    }
  }
}

const passing = ['offset-mismatch', 'stalled', 'busy', 'shutting-down', 'storage-unavailable']

function mayTryAgain(error: unknown): boolean {
  if (error instanceof Unreachable) return true
  if (mustWait(error)) return true
  return error instanceof Refusal && passing.includes(error.code)
}

/** Behind a proxy the server ends each wait for a slot before the proxy times out. */
function mustWait(error: unknown): boolean {
  return error instanceof Refusal && error.code === 'job-running'
}

function offsetOf(answer: TusAnswer): number {
  return Number(answer.header('Upload-Offset') ?? 0)
}

/** tus: "The Upload-Metadata … MUST consist of one or more comma-separated key-value pairs", the value in Base64. */
function metadataOf(values: Record<string, string>): string {
  return Object.entries(values)
    .map(([key, value]) => `${key} ${base64(value)}`)
    .join(',')
}

function base64(text: string): string {
  return btoa(String.fromCharCode(...new TextEncoder().encode(text)))
}

/** `crypto.randomUUID` is available over https only. */
function newJobId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  bytes[6] = (bytes[6]! & 0x0f) | 0x40
  bytes[8] = (bytes[8]! & 0x3f) | 0x80
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('')
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
}

function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(end, milliseconds)
    function end() {
      clearTimeout(timer)
      removeEventListener('online', end)
      signal.removeEventListener('abort', end)
      if (signal.aborted) reject(signal.reason)
      else resolve()
    }
    addEventListener('online', end)
    signal.addEventListener('abort', end)
  })
}

/** So small that another request would take longer than its bytes. */
const creationBytes = 256 * 1024
const leastPauseMs = 300
const mostPauseMs = 5000
