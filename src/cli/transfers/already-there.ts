import { responseLength } from '../../protocol/body-length.js'
import { findSha256 } from '../../protocol/digest-fields.js'
import { filePath } from '../../protocol/routes.js'
import type { HttpClient } from '../http-client.js'
import { exchange } from './exchange.js'
import { readingDigest } from './file-digest.js'
import type { TransferTools } from './tools.js'
import type { OpenedFile } from './upload-file.js'

/**
 * The SHA-256 of the file if the server already has it, with the same name and bytes: then there is nothing to send.
 * Makes one request, and reads the local file only if name and length match.
 */
export async function findSame(
  { http, progress }: TransferTools,
  { handle, name, size, mtimeMs }: OpenedFile,
  signal: AbortSignal,
): Promise<string | undefined> {
  const there = await findDigest(http, name, size, signal)
  if (there === undefined) return undefined
  progress.say(`${name}: comparing it with the one on the server`)
  const digest = readingDigest(handle, http.pool, size)
  const leave = () => digest.close()
  signal.addEventListener('abort', leave)
  try {
    const own = (await digest.finish()).toString('hex')
    const now = await handle.stat()
    return own === there && now.size === size && now.mtimeMs === mtimeMs ? there : undefined
  } catch (error) {
    signal.throwIfAborted()
    throw error
  } finally {
    signal.removeEventListener('abort', leave)
    digest.close()
  }
}

const timeoutMs = 10_000

/** The digest of the server's file of this name and length; undefined also if the request fails. */
async function findDigest(
  http: HttpClient,
  name: string,
  size: number,
  left: AbortSignal,
): Promise<string | undefined> {
  const signal = AbortSignal.any([left, AbortSignal.timeout(timeoutMs)])
  try {
    const { status, headers } = await exchange(http.open('HEAD', filePath(name)), signal, async () => {})
    return status === 200 && responseLength(headers) === size ? findSha256(headers) : undefined
  } catch {
    left.throwIfAborted()
    // The upload itself reports the error or retries.
    return undefined
  }
}
