import type { IncomingMessage } from 'node:http'
import { listFiles } from '../../client/listing.js'
import { responseLength } from '../../protocol/body-length.js'
import { findSha256 } from '../../protocol/digest-fields.js'
import type { FileRecord } from '../../protocol/files.js'
import { filePath, parsePublished, routes } from '../../protocol/routes.js'
import { answeredProblem } from '../answers.js'
import { Failure } from '../exit-codes.js'
import type { HttpClient } from '../http-client.js'
import { exchange, readAnswer, untilResponse } from '../transfers/exchange.js'
import type { TransferTools } from '../transfers/tools.js'

/** A file on the server. The digest is null if the server does not know it. */
export type RemoteFile = Pick<FileRecord, 'name' | 'size' | 'sha256'> & { readonly uploadedAt?: string }

/** Lists all files with the prefix, sorted by name, in chunks as they arrive. */
export async function* remoteFiles(
  { http, api }: TransferTools,
  prefix: string,
  signal: AbortSignal,
): AsyncGenerator<RemoteFile[]> {
  // Lists published files of another account page by page.
  if (parsePublished(prefix)) {
    for await (const file of listFiles(api, prefix)) yield [file]
    return
  }
  for await (const lines of recordLines(http, { prefix }, signal))
    yield parseLines(lines, http.server).map((line) => parseFile(line, http.server))
}

/** Lists the empty folders below a prefix, sorted by name; none of another account's published files. */
export async function emptyRemoteFolders(
  { http }: TransferTools,
  prefix: string,
  signal: AbortSignal,
): Promise<string[]> {
  if (parsePublished(prefix)) return []
  const names: string[] = []
  for await (const lines of recordLines(http, { prefix, folders: 'empty' }, signal)) {
    for (const line of lines) {
      const { name } = parseLine(line, http.server)
      // Older servers ignore the parameter and list files.
      if (typeof name === 'string' && name.endsWith('/')) names.push(name)
    }
  }
  return names
}

async function* recordLines(
  http: HttpClient,
  query: Record<string, string>,
  signal: AbortSignal,
): AsyncGenerator<string[]> {
  const request = http.open('GET', `${routes.files}?${new URLSearchParams(query)}`, { accept: 'application/x-ndjson' })
  request.end()
  const response = await untilResponse(request, signal)
  if (response.statusCode !== 200) {
    const { status, body, headers } = await readAnswer(response)
    throw answeredProblem(http.server, status, body, headers)
  }
  const cut = () => response.destroy(signal.reason)
  signal.addEventListener('abort', cut, { once: true })
  try {
    yield* linesOfBody(response)
  } finally {
    signal.removeEventListener('abort', cut)
  }
}

/** Looks up files by name. Yields those that exist, in the given order. */
export async function* remoteFilesNamed(
  { http }: TransferTools,
  names: readonly string[],
  signal: AbortSignal,
): AsyncGenerator<RemoteFile[]> {
  for (let start = 0; start < names.length; start += atOnce) {
    const found = await Promise.all(
      names.slice(start, start + atOnce).map(async (name): Promise<RemoteFile[]> => {
        const { status, headers, body } = await exchange(http.open('HEAD', filePath(name)), signal, async () => {})
        if (status === 200) return [{ name, size: responseLength(headers) ?? -1, sha256: findSha256(headers) ?? null }]
        // 400: an invalid name, which the upload will report.
        if (status === 404 || status === 400) return []
        throw answeredProblem(http.server, status, body, headers)
      }),
    )
    yield found.flat()
  }
}

/** Yields chunks of complete lines. Throws if the last line is incomplete. */
export async function* linesOfBody(response: IncomingMessage): AsyncGenerator<string[]> {
  response.setEncoding('utf8')
  let rest = ''
  for await (const text of response as AsyncIterable<string>) {
    const lines = (rest + text).split('\n')
    rest = lines.pop()!
    if (lines.length > 0) yield lines
  }
  if (rest !== '') throw Object.assign(new Error('the response ended within a line'), { code: 'ECONNRESET' })
}

function parseFile({ name, size, sha256, uploadedAt }: Record<string, unknown>, server: string): RemoteFile {
  if (typeof name !== 'string' || typeof size !== 'number') throw unreadable(server)
  return {
    name,
    size,
    sha256: typeof sha256 === 'string' ? sha256 : null,
    ...(typeof uploadedAt === 'string' ? { uploadedAt } : {}),
  }
}

/** Parses many lines at once, in a third of the time. Throws a Failure if one is not an object. */
function parseLines(lines: readonly string[], server: string): Record<string, unknown>[] {
  try {
    const values: unknown = JSON.parse(`[${lines.join(',')}]`)
    if (Array.isArray(values) && values.length === lines.length && values.every(isObject)) return values
  } catch {
    // Parsing line by line finds the invalid one.
  }
  return lines.map((line) => parseLine(line, server))
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}

/** Parses one line of NDJSON. Throws a Failure if it is not an object. */
export function parseLine(line: string, server: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(line)
    if (isObject(value)) return value
  } catch {
    // Handled like a value of another type.
  }
  throw unreadable(server)
}

function unreadable(server: string): Failure {
  return new Failure('unexpected', `${server} did not answer like a filejobs server: is the URL right?`)
}

const atOnce = 16
