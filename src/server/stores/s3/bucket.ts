import { hash } from 'node:crypto'
import { responseLength } from '../../../protocol/body-length.js'
import { BrokenResponse, BucketError, isMissingKey } from './bucket-errors.js'
import { BucketRequests, type BucketRequestsOptions, type SentBytes } from './bucket-requests.js'
import { elementsOf, textOfElement, xmlElement } from './bucket-xml.js'
import type { DownloadConnection } from './download-connection.js'

/** A part of a multipart upload that is stored. */
export interface StoredPart {
  number: number
  entityTag: string
  /** In hexadecimal digits. */
  sha256: string
  size: number
}

export interface ListedObject {
  key: string
  size: number
  storedAt: Date
}

/** The requests that are needed of a bucket. Keys are below the prefix of its address. */
export class Bucket {
  readonly #requests: BucketRequests

  constructor(options: BucketRequestsOptions) {
    this.#requests = new BucketRequests(options)
  }

  /** Resolves when the whole object is stored. The bucket compares its digest: what arrives in part is refused. */
  async put(key: string, body: SentBytes, signal?: AbortSignal): Promise<void> {
    await this.#requests.send({ method: 'PUT', key, body, signal })
  }

  /**
   * The bytes from `offset`; at least one. Reads fail if it breaks off. The caller reads them all, or closes it; the signal
   * ends only the wait for it. Throws a `BucketError` with the status 404 for a missing key.
   */
  get(
    key: string,
    { offset, length }: { offset: number; length: number },
    signal?: AbortSignal,
  ): Promise<DownloadConnection> {
    const headers = { Range: `bytes=${offset}-${offset + length - 1}` }
    return this.#requests.open({ method: 'GET', key, headers, signal }, ({ status, length: got }) => {
      const isPart = status === 206 || (status === 200 && offset === 0)
      if (!isPart || got !== length) throw new BrokenResponse(`GET ${key}`, `${got} bytes instead of ${length}`)
    })
  }

  /** Its number of bytes; undefined if it is missing. */
  async head(key: string, signal?: AbortSignal): Promise<number | undefined> {
    try {
      const { headers } = await this.#requests.send({ method: 'HEAD', key, signal })
      return responseLength(headers) ?? 0
    } catch (error) {
      if (isMissingKey(error)) return undefined
      throw error
    }
  }

  /** Removing a missing one is not an error. */
  async delete(key: string, signal?: AbortSignal): Promise<void> {
    await this.#requests.send({ method: 'DELETE', key, signal }).catch(ignoreMissing)
  }

  /** Begins an upload in parts, and returns its id. */
  async createMultipart(key: string, signal?: AbortSignal): Promise<string> {
    const headers = { 'x-amz-checksum-algorithm': 'SHA256' }
    const { body } = await this.#requests.send({ method: 'POST', key, query: 'uploads=', headers, signal })
    const id = textOfElement(body, 'UploadId')
    if (id === undefined) throw new BrokenResponse(`POST ${key}?uploads`, 'the response has no UploadId')
    return id
  }

  /** Numbers start at 1; the checksum is a SHA-256. A part counts only once this has resolved. */
  async uploadPart(
    key: string,
    uploadId: string,
    number: number,
    body: SentBytes,
    signal?: AbortSignal,
  ): Promise<StoredPart> {
    const query = `partNumber=${number}&uploadId=${encodeURIComponent(uploadId)}`
    const { headers } = await this.#requests.send({ method: 'PUT', key, query, body, signal })
    const entityTag = headers.etag
    if (entityTag === undefined) throw new BrokenResponse(`PUT ${key}?${query}`, 'the response has no ETag')
    return { number, entityTag, sha256: body.checksum.value, size: body.size }
  }

  /** Makes the parts one object. If an earlier try has done it, and its answer was lost, that counts. */
  async completeMultipart(
    key: string,
    uploadId: string,
    parts: readonly StoredPart[],
    signal?: AbortSignal,
  ): Promise<void> {
    const query = `uploadId=${encodeURIComponent(uploadId)}`
    try {
      await this.#requests.send({ method: 'POST', key, query, body: sentBytesOf(completion(parts)), signal })
    } catch (error) {
      const isGone = error instanceof BucketError && error.code === 'NoSuchUpload'
      const size = parts.reduce((sum, part) => sum + part.size, 0)
      if (!isGone || (await this.head(key, signal)) !== size) throw error
    }
  }

  /** Aborting a missing one is not an error. A part under way may outlive it: end its request before. */
  async abortMultipart(key: string, uploadId: string, signal?: AbortSignal): Promise<void> {
    const query = `uploadId=${encodeURIComponent(uploadId)}`
    await this.#requests.send({ method: 'DELETE', key, query, signal }).catch(ignoreMissing)
  }

  /** The ids of the unfinished uploads to exactly this key. */
  async listMultiparts(key: string, signal?: AbortSignal): Promise<string[]> {
    const full = this.#requests.address.prefix + key
    const query = `prefix=${encodeURIComponent(full)}&uploads=`
    const { body } = await this.#requests.send({ method: 'GET', key: '', query, signal })
    const uploads = elementsOf(body, 'Upload').filter((upload) => textOfElement(upload, 'Key') === full)
    return uploads.flatMap((upload) => textOfElement(upload, 'UploadId') ?? [])
  }

  /** The objects with this prefix, sorted by their keys, as they are when the listing comes to them. */
  async *list(prefix: string, signal?: AbortSignal): AsyncGenerator<ListedObject> {
    const own = this.#requests.address.prefix
    for (let last = ''; ; ) {
      const after = last === '' ? '' : `&start-after=${encodeURIComponent(own + last)}`
      const query = `list-type=2&prefix=${encodeURIComponent(own + prefix)}${after}`
      const { body } = await this.#requests.send({ method: 'GET', key: '', query, signal })
      const page = elementsOf(body, 'Contents').map((object) => ({
        key: textOfElement(object, 'Key')!.slice(own.length),
        size: Number(textOfElement(object, 'Size')),
        storedAt: new Date(textOfElement(object, 'LastModified') ?? ''),
      }))
      yield* page
      if (textOfElement(body, 'IsTruncated') !== 'true' || page.length === 0) return
      last = page.at(-1)!.key
    }
  }

  /** Ends all connections. */
  close(): void {
    this.#requests.close()
  }
}

/** Bytes in memory. */
export function sentBytesOf(bytes: Uint8Array | string): SentBytes {
  const content = Buffer.from(bytes as Uint8Array)
  const value = hash('sha256', content)
  return { size: content.length, checksum: { algorithm: 'sha256', value }, open: () => content }
}

function completion(parts: readonly StoredPart[]): string {
  const listed = parts.map(({ number, entityTag, sha256 }) => {
    const members = [
      xmlElement('PartNumber', String(number)),
      xmlElement('ETag', entityTag),
      xmlElement('ChecksumSHA256', Buffer.from(sha256, 'hex').toString('base64')),
    ]
    return `<Part>${members.join('')}</Part>`
  })
  return `<CompleteMultipartUpload>${listed.join('')}</CompleteMultipartUpload>`
}

function ignoreMissing(error: unknown): void {
  if (!isMissingKey(error)) throw error
}
