import { hash } from 'node:crypto'
import { responseLength } from '../../../protocol/body-length.js'
import { BrokenResponse, isMissingKey } from './bucket-errors.js'
import { BucketRequests, type BucketRequestsOptions, type SentBytes } from './bucket-requests.js'
import { elementsOf, textOfElement } from './bucket-xml.js'
import type { DownloadConnection } from './download-connection.js'

export interface ListedObject {
  key: string
  size: number
  storedAt: Date
}

/**
 * The requests that are needed of a bucket. Keys are below the prefix of its address. All throw `storage-unavailable` if the
 * bucket refuses the request, or has not answered it for two minutes.
 */
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
   * ends only the wait for it. Throws a `BucketError` for which `isMissingKey` holds if there is no such object.
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

function ignoreMissing(error: unknown): void {
  if (!isMissingKey(error)) throw error
}
