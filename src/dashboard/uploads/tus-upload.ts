import { jobHeader, routes } from '../../protocol/routes.js'
import { Refusal, Unreachable } from '../api.js'
import { type TusAnswer, tusRequest } from './tus-request.js'
import type { UnfinishedUploads } from './unfinished.js'

export interface TusUpload {
  name: string
  file: File
  /** Whether a file of that name may be replaced. */
  replace: boolean
  unfinished: UnfinishedUploads
  signal: AbortSignal
  /** The upload's job, as soon as it has one. */
  onJob(id: string): void
  /** Bytes that the server had already when it went on. */
  onResume(offset: number): void
  /** The connection is lost; it is tried again. */
  onLost(isLost: boolean): void
}

/**
 * Uploads a file by tus: goes on where an earlier try ended, also one before a reload, and over lost connections. Resolves
 * once the file is published. Throws `Refusal`, and the signal's reason.
 */
export async function tusUpload(upload: TusUpload): Promise<void> {
  const { name, file, unfinished, signal } = upload
  let place = await keepTrying(upload, () => findPlace(upload))
  for (let pauseMs = leastPauseMs; place.offset < file.size; ) {
    const before = place.offset
    try {
      const answer = await tusRequest('PATCH', `${routes.tus}/${place.id}`, {
        headers: { 'Upload-Offset': String(place.offset) },
        // Chromium reads a file where it sends it, but a slice of one in another process, for twice the work.
        body: place.offset === 0 ? file : file.slice(place.offset),
        signal,
      })
      place.offset = offsetOf(answer)
      upload.onLost(false)
    } catch (error) {
      if (!mayTryAgain(error)) throw error
      upload.onLost(true)
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

/** Where an earlier try has got to, else a new upload. */
async function findPlace(upload: TusUpload): Promise<Place> {
  const { name, file, unfinished } = upload
  const known = unfinished.find(name, file)
  if (known) {
    try {
      const place = await look(known.id, upload)
      upload.onJob(place.id)
      upload.onResume(place.offset)
      return place
    } catch (error) {
      if (!(error instanceof Refusal) || error.status === 401) throw error
      // It has ended, or expired: a new one then.
      unfinished.remove(known.id)
    }
  }
  return create(upload)
}

async function look(id: string, { signal }: TusUpload): Promise<Place> {
  return { id, offset: offsetOf(await tusRequest('HEAD', `${routes.tus}/${id}`, { signal })) }
}

async function create({ name, file, replace, unfinished, signal, onJob }: TusUpload): Promise<Place> {
  const id = newJobId()
  onJob(id)
  const whole = file.size > 0 && file.size <= creationBytes
  const answer = await tusRequest('POST', routes.tus, {
    headers: {
      'Upload-Length': String(file.size),
      'Upload-Metadata': metadataOf({ filename: name, ...(file.type ? { filetype: file.type } : {}) }),
      [jobHeader]: id,
      // Another upload of the account may be running, from wherever: this one waits for its turn.
      Prefer: 'wait=86400',
      ...(replace ? {} : { 'If-None-Match': '*' }),
    },
    ...(whole ? { body: file } : {}),
    signal,
  })
  if (file.size > creationBytes) unfinished.add(id, name, file)
  return { id, offset: offsetOf(answer) }
}

/** Repeats what fails because nobody answered, or only for now. */
async function keepTrying<T>(upload: TusUpload, attempt: () => Promise<T>): Promise<T> {
  for (let pauseMs = leastPauseMs; ; pauseMs = Math.min(pauseMs * 2, mostPauseMs)) {
    try {
      const result = await attempt()
      upload.onLost(false)
      return result
    } catch (error) {
      if (!mayTryAgain(error)) throw error
      upload.onLost(true)
      await pause(pauseMs, upload.signal)
    }
  }
}

function mayTryAgain(error: unknown): boolean {
  if (error instanceof Unreachable) return true
  return error instanceof Refusal && ['offset-mismatch', 'stalled', 'busy', 'shutting-down'].includes(error.code)
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

/** `crypto.randomUUID` is for pages by https only. */
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

/** So small that a second request would take longer than its bytes. */
const creationBytes = 256 * 1024
const leastPauseMs = 300
const mostPauseMs = 5000
