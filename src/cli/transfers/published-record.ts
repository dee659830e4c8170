import type { FileList, FileRecord } from '../../protocol/files.js'
import { routes } from '../../protocol/routes.js'
import type { HttpClient } from '../http-client.js'
import { exchange } from './exchange.js'

const timeoutMs = 10_000

/**
 * The record of the file that was just published; undefined if the server cannot be reached or the file was replaced.
 */
export async function findPublished(http: HttpClient, name: string, sha256: string): Promise<FileRecord | undefined> {
  const query = new URLSearchParams({ prefix: name, limit: '1' })
  const request = http.open('GET', `${routes.files}?${query}`)
  try {
    const { status, body } = await exchange(request, AbortSignal.timeout(timeoutMs), async () => {})
    if (status !== 200) return undefined
    const [record] = (JSON.parse(body) as FileList).files
    return record?.name === name && record.sha256 === sha256 ? record : undefined
  } catch {
    // The file is published whatever the result of this request.
    return undefined
  }
}
