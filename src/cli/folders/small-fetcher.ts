import { createHash } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { Problem } from '../../protocol/problems.js'
import { partOfHeader, routes } from '../../protocol/routes.js'
import { answeredProblem } from '../answers.js'
import { Failure } from '../exit-codes.js'
import { readAnswer, untilResponse } from '../transfers/exchange.js'
import type { TransferTools } from '../transfers/tools.js'
import type { ExportedItem } from './export-compare.js'
import { jsonParts } from './json-parts.js'
import { type TarMember, TarReader } from './tar-reader.js'

/** Receives the files of an archive. */
export interface FetchedFiles {
  /** Called with verified content. If it throws, the file fails alone. */
  store(item: ExportedItem, content: Buffer, sha256: string): void
  failed(item: ExportedItem, error: unknown): void
}

/**
 * Fetches small files as tars. Ignores entries that were not requested. A file that the server no longer has, or that
 * arrives damaged, fails alone. Rejects if a stream breaks.
 */
export async function fetchSmallFiles(
  tools: TransferTools,
  jobId: string,
  items: readonly ExportedItem[],
  fetched: FetchedFiles,
  signal: AbortSignal,
): Promise<void> {
  for (const part of jsonParts(items, maxBodyBytes, ({ name }) => name)) {
    for (let rest = part; rest.length > 0; rest = rest.filter(({ isDone }) => !isDone)) {
      try {
        await fetchTar(tools, jobId, rest, fetched, signal)
      } catch (error) {
        const gone = rest.find(({ name }) => error instanceof Problem && error.details.name === name)
        if (!gone) throw error
        fetched.failed(gone, error)
      }
    }
  }
}

async function fetchTar(
  { http }: TransferTools,
  jobId: string,
  items: readonly ExportedItem[],
  fetched: FetchedFiles,
  signal: AbortSignal,
): Promise<void> {
  const body = JSON.stringify({ files: items.map(({ name }) => name), archive: 'tar', digests: true })
  const request = http.open('POST', routes.export, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
    [partOfHeader]: jobId,
  })
  request.end(body)
  const response = await untilResponse(request, signal)
  if (response.statusCode !== 200) {
    const { status, body, headers } = await readAnswer(response)
    throw answeredProblem(http.server, status, body, headers)
  }
  const expected = new Map(items.map((item) => [item.name, item]))
  await readTar(response, expected, fetched)
  for (const item of expected.values())
    fetched.failed(item, new Problem('file-not-found', 'The server did not send it.'))
}

async function readTar(
  response: IncomingMessage,
  expected: Map<string, ExportedItem>,
  fetched: FetchedFiles,
): Promise<void> {
  const reader = new TarReader(maxBytes)
  for await (const chunk of response as AsyncIterable<Buffer>) {
    for (const member of reader.push(chunk)) {
      const item = expected.get(member.name)
      if (!item) continue
      expected.delete(member.name)
      accept(item, member, fetched)
    }
  }
  reader.end()
}

function accept(item: ExportedItem, { content, sha256 }: TarMember, fetched: FetchedFiles): void {
  try {
    if (!content) throw new Failure('tryAgain', 'It has grown since it was listed: run the command again.')
    const own = createHash('sha256').update(content).digest('hex')
    const declared = sha256 ?? item.sha256
    if (declared !== null && declared !== own) {
      throw new Problem('digest-mismatch', `It arrived damaged (SHA-256 ${own}, not ${declared}): try again.`)
    }
    fetched.store(item, content, own)
  } catch (error) {
    fetched.failed(item, error)
  }
}

const maxBodyBytes = 900 * 1024
/** A small file may have grown since it was listed. */
const maxBytes = 16 * 1024 ** 2
