import { once } from 'node:events'
import type { ClientRequest } from 'node:http'
import { filePath, partOfHeader } from '../../protocol/routes.js'
import { Failure } from '../exit-codes.js'
import { untilResponse } from '../transfers/exchange.js'
import type { TransferTools } from '../transfers/tools.js'
import { type ReadFile, readSmallFile } from './local-content.js'
import { readTarAnswer } from './tar-answer.js'
import { tarEnd, tarMember } from './tar-member.js'
import type { PendingUpload } from './upload-compare.js'

/** Files up to this size are sent in one stream: a request for each would take longer than its bytes. */
export const smallFileBytes = 64 * 1024

/** Receives the outcome of each file of a stream. */
export interface SentFiles {
  /** The server has stored the file durably. */
  done(item: PendingUpload, read: ReadFile): void
  failed(item: PendingUpload, error: unknown): void
}

export interface SmallFilesTarget {
  /** The prefix of all names. Names in the tar are relative to it. */
  readonly prefix: string
  readonly jobId: string
  /** The preconditions, such as that no file exists. */
  readonly headers: Readonly<Record<string, string>>
}

/**
 * Sends small files as one tar, each with its digest, while the server acknowledges them in batches. Resolves when all are
 * acknowledged. A file that cannot be read or stored fails alone. Rejects if the stream breaks; what was acknowledged is
 * stored.
 */
export async function sendSmallFiles(
  { http }: TransferTools,
  target: SmallFilesTarget,
  items: readonly PendingUpload[],
  sent: SentFiles,
  signal: AbortSignal,
): Promise<void> {
  const request = http.open('PUT', `${filePath(target.prefix)}?extract=tar`, {
    ...target.headers,
    accept: 'application/x-ndjson',
    'content-type': 'application/x-tar',
    [partOfHeader]: target.jobId,
  })
  const cut = () => request.destroy()
  const unconfirmed = new Unconfirmed()
  const answer = receive(http.server, request, target.prefix, unconfirmed, sent, signal)
  answer.catch(() => {})
  answer.then(
    () => unconfirmed.end(),
    () => unconfirmed.end(),
  )
  try {
    signal.addEventListener('abort', cut, { once: true })
    await write(request, target.prefix, items, unconfirmed, sent)
    await answer
    signal.throwIfAborted()
    for (const { item } of unconfirmed.values())
      sent.failed(item, new Failure('unexpected', 'The server did not confirm it.'))
  } catch (error) {
    signal.throwIfAborted()
    throw error
  } finally {
    signal.removeEventListener('abort', cut)
    if (!request.writableFinished) request.destroy()
  }
}

/** Members are written in chunks of this size. */
const chunkBytes = 256 * 1024
/** At most this many bytes are sent ahead of their acknowledgement. */
const windowBytes = 8 * 1024 ** 2

async function write(
  request: ClientRequest,
  prefix: string,
  items: readonly PendingUpload[],
  unconfirmed: Unconfirmed,
  sent: SentFiles,
): Promise<void> {
  let chunk: Buffer[] = []
  let bytes = 0
  const flush = async () => {
    const data = Buffer.concat(chunk)
    chunk = []
    bytes = 0
    if (!request.write(data)) await Promise.race([once(request, 'drain'), unconfirmed.ended])
    await unconfirmed.below(windowBytes)
  }
  for (const item of items) {
    if (unconfirmed.isEnded) return
    if (item.isDone) continue
    let read: ReadFile
    try {
      read = readSmallFile(item)
      if (read.content.length > largestMember)
        throw new Failure('unexpected', `${item.path} has grown: run the command again.`)
    } catch (error) {
      sent.failed(item, error)
      continue
    }
    const member = tarMember(item.name.slice(prefix.length), read.content, read.sha256)
    unconfirmed.add(item, read)
    chunk.push(member)
    bytes += member.length
    if (bytes >= chunkBytes) await flush()
  }
  if (unconfirmed.isEnded) return
  chunk.push(tarEnd())
  request.end(Buffer.concat(chunk))
}

/** A small file may have grown since it was found. */
const largestMember = 1024 ** 2

async function receive(
  server: string,
  request: ClientRequest,
  prefix: string,
  unconfirmed: Unconfirmed,
  sent: SentFiles,
  signal: AbortSignal,
): Promise<void> {
  await readTarAnswer(server, await untilResponse(request, signal), ({ name, error }) => {
    const entry = unconfirmed.take(name) ?? unconfirmed.take(prefix + name)
    if (!entry) return
    if (error) sent.failed(entry.item, error)
    else sent.done(entry.item, entry.read)
  })
}

interface Sent {
  readonly item: PendingUpload
  readonly read: ReadFile
}

/** Files that were sent and are not yet confirmed. */
class Unconfirmed {
  readonly #files = new Map<string, Sent>()
  readonly ended: Promise<void>
  isEnded = false
  #bytes = 0
  #resolveEnded: () => void = () => {}
  #changed: () => void = () => {}

  constructor() {
    this.ended = new Promise((resolve) => {
      this.#resolveEnded = resolve
    })
  }

  add(item: PendingUpload, read: ReadFile): void {
    this.#files.set(item.name, { item, read })
    this.#bytes += read.content.length
  }

  take(name: string): Sent | undefined {
    const found = this.#files.get(name)
    if (!found) return undefined
    this.#files.delete(name)
    this.#bytes -= found.read.content.length
    this.#changed()
    return found
  }

  values(): Iterable<Sent> {
    return this.#files.values()
  }

  /** Waits until at most `bytes` are unconfirmed, or the stream has ended. */
  async below(bytes: number): Promise<void> {
    while (this.#bytes > bytes && !this.isEnded) {
      await new Promise<void>((resolve) => {
        this.#changed = resolve
      })
    }
  }

  end(): void {
    this.isEnded = true
    this.#resolveEnded()
    this.#changed()
  }
}
