import type { Readable } from 'node:stream'
import { type Header, extract as openExtract } from 'tar-stream'
import { Problem } from '../../protocol/problems.js'
import { feed } from '../transfers/receiving.js'
import { TarFeed } from './tar-feed.js'
import { malformedTar, refusedEntry } from './tar-problems.js'

/** A file or a folder in a tar. */
export interface TarEntry {
  /** As in the tar. */
  name: string
  isFolder: boolean
  size: number
  /** Of the record `FILEJOBS.sha256` in its extended header, in hexadecimal digits; null without one. */
  sha256: string | null
  /** To be read before the next entry; the rest is skipped. */
  body: AsyncIterable<Buffer>
}

/**
 * Reads a tar (POSIX.1-2001 pax, ustar or GNU) and calls `onEntry` for each entry, one after the other. Throws
 * `invalid-request` for a body that is no complete tar and for entries that are neither files nor folders, the reason of
 * the signal, and what `onEntry` throws. The body is not destroyed: the response needs its connection.
 */
export async function readTar(
  body: Readable,
  signal: AbortSignal,
  onEntry: (entry: TarEntry) => Promise<void>,
): Promise<void> {
  const extract = openExtract({ allowUnknownFormat: true } as ExtractOptions)
  const sink = new TarFeed(extract)
  const failed = new AbortController()
  let parserError: Error | undefined
  extract.on('error', (error) => {
    parserError = error
  })
  const fed = feed(body, sink, AbortSignal.any([signal, failed.signal]))
  fed.catch(() => {})
  let end = 0
  try {
    for await (const entry of extract) {
      const { type, size } = entry.header
      const isFolder = type === 'directory'
      end = entry.offset + blockBytes + (isFolder ? 0 : Math.ceil(size / blockBytes) * blockBytes)
      await onEntry({ ...entryOf(entry.header), isFolder, body: entry as AsyncIterable<Buffer> })
      entry.resume()
    }
    await fed
    sink.checkEnd(end)
  } catch (error) {
    failed.abort(error)
    // A connection that broke, or a stop, is the reason of what the parser then says.
    const reason: unknown = await fed.then(
      () => error,
      (cause) => cause,
    )
    signal.throwIfAborted()
    if (reason !== error || !parserError || parserError instanceof Problem) throw reason
    const isCut = /end of data|closed/i.test(parserError.message)
    throw malformedTar(isCut ? 'it ends too early' : 'a header is damaged', parserError)
  }
}

function entryOf({ name, type, size, pax }: Header): Omit<TarEntry, 'isFolder' | 'body'> {
  const kind: string = type ?? 'unknown'
  if (!stored.includes(kind)) {
    throw refusedEntry(name, `is ${notStored[kind] ?? 'of an unknown type'}: leave it out of the tar`)
  }
  const records = (pax ?? {}) as Record<string, string>
  if (Object.keys(records).some((key) => key.startsWith('GNU.sparse.'))) {
    throw refusedEntry(name, 'is a sparse file: create the tar without --sparse')
  }
  if (records.size !== undefined && !/^\d{1,15}$/.test(records.size)) {
    throw refusedEntry(name, 'has a record "size" that is not a number')
  }
  if (kind === 'directory' && size !== 0) throw refusedEntry(name, 'is a folder with a size')
  const sha256 = records['FILEJOBS.sha256'] ?? null
  if (sha256 !== null && !/^[0-9a-f]{64}$/.test(sha256)) {
    throw refusedEntry(name, 'has a record "FILEJOBS.sha256" that is not 64 hexadecimal digits')
  }
  return { name, size, sha256 }
}

/** The parser's types do not have it. Formats before ustar are known by their checksum alone. */
type ExtractOptions = Parameters<typeof openExtract>[0] & { allowUnknownFormat: boolean }

const blockBytes = 512
const stored: readonly string[] = ['file', 'contiguous-file', 'directory']
const notStored: Readonly<Record<string, string>> = {
  link: 'a hard link',
  symlink: 'a symbolic link',
  'character-device': 'a device',
  'block-device': 'a device',
  fifo: 'a named pipe',
}
