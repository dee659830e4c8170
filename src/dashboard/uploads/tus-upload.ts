import { jobHeader, partOfHeader, routes } from '../../protocol/routes.js'
import { newUuid } from '../../protocol/uuid.js'
import { Refusal } from '../api.js'
import { say } from '../words/say.js'
import type { PageAnswer } from './page-request.js'
import { keepTrying, longer, mayTryAgain, minPauseMs, mustWait, pause, request, type Sender } from './sender.js'
import type { UnfinishedUploads } from './unfinished.js'
import { untilSlotIsFree } from './until-slot-is-free.js'

export interface TusUpload extends Sender {
  /** The path of tus; default: that of the account. */
  endpoint?: string
  name: string
  file: File
  /** Whether an existing file of that name may be replaced. */
  replace: boolean
  /** The job of many files that it belongs to. */
  partOf?: string
  unfinished: UnfinishedUploads
  /** Called when the upload has an id, which is that of its job unless it is part of another one. */
  onJob?(id: string): void
  /** Called with the bytes that the server had when the upload resumed. */
  onResume?(offset: number): void
  /** Called with the bytes that the server has, or that are on their way. */
  onProgress?(bytes: number): void
}

/**
 * Uploads a file by tus: resumes earlier attempts, including those before a reload, and retries lost connections.
 * Resolves when the file is published. Throws `Refusal`, `Unreadable`, and the signal's reason.
 */
export async function tusUpload(upload: TusUpload): Promise<void> {
  const { name, file, unfinished, signal } = upload
  const creation: Creation = { id: null }
  const check = () => checkReadable(file)
  let place = await keepTrying(upload, () => findPlace(upload, creation), check)
  for (let pauseMs = minPauseMs; place.offset < file.size; ) {
    const before = place.offset
    try {
      const answer = await request(upload, 'PATCH', `${endpointOf(upload)}/${place.id}`, {
        headers: { ...ofBytes, 'Upload-Offset': String(place.offset) },
        // Chromium reads a whole file in the process that sends it, but a slice in another process, for twice the CPU
        // time.
        body: place.offset === 0 ? file : file.slice(place.offset),
        onSent: (bytes) => upload.onProgress?.(before + bytes),
      })
      place.offset = offsetOf(answer)
      upload.onLost(false)
    } catch (error) {
      if (!mayTryAgain(error)) throw error
      await check()
      upload.onLost(!mustWait(error))
      await pause(pauseMs, signal)
      place = await keepTrying(upload, () => look(place.id, upload))
      upload.onLost(false)
    }
    pauseMs = place.offset > before ? minPauseMs : longer(pauseMs)
  }
  const known = unfinished.find(name, file)
  if (known) unfinished.remove(known.id)
}

/** The file has changed since it was chosen, or is gone. */
export class Unreadable extends Error {
  override name = 'Unreadable'

  constructor(cause: unknown) {
    super(say('uploads.unreadable'), { cause })
  }
}

/** The browser reports a request whose file it could not read like a broken connection. */
async function checkReadable(file: File): Promise<void> {
  await file
    .slice(0, 1)
    .arrayBuffer()
    .catch((error: unknown) => {
      throw new Unreadable(error)
    })
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
      upload.onJob?.(place.id)
      upload.onResume?.(place.offset)
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
  return { id, offset: offsetOf(await request(upload, 'HEAD', `${endpointOf(upload)}/${id}`, { headers: tusVersion })) }
}

async function create(upload: TusUpload, creation: Creation): Promise<Place> {
  const { name, file, replace, unfinished, partOf } = upload
  const id = newUuid()
  creation.id = id
  upload.onJob?.(id)
  const whole = file.size > 0 && file.size <= creationBytes
  const answer = await request(upload, 'POST', endpointOf(upload), {
    headers: {
      ...(whole ? ofBytes : tusVersion),
      'Upload-Length': String(file.size),
      'Upload-Metadata': metadataOf({ filename: name, ...(file.type ? { filetype: file.type } : {}) }),
      [jobHeader]: id,
      ...(partOf === undefined ? {} : { [partOfHeader]: partOf }),
      ...untilSlotIsFree,
      ...(replace ? {} : { 'If-None-Match': '*' }),
    },
    ...(whole ? { body: file } : {}),
  })
  if (file.size > creationBytes) unfinished.add(id, name, file)
  return { id, offset: offsetOf(answer) }
}

function endpointOf({ endpoint = routes.tus }: TusUpload): string {
  return endpoint
}

function offsetOf(answer: PageAnswer): number {
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

const tusVersion = { 'Tus-Resumable': '1.0.0' } as const
const ofBytes = { ...tusVersion, 'Content-Type': 'application/offset+octet-stream' } as const
/** Files up to this size are sent with the creation: another request would take longer than the bytes. */
const creationBytes = 256 * 1024
