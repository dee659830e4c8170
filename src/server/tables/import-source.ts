import { type FileHandle, open } from 'node:fs/promises'
import { Problem } from '../../protocol/problems.js'
import { formatBytes } from '../../protocol/units.js'
import type { CsvOptions } from './csv-plan.js'
import { decodeText, type OpenBytes } from './decode-text.js'
import { evidentEncoding, parseEncoding } from './encodings.js'
import { gunzip } from './gunzip.js'
import type { ImportTask } from './import-messages.js'
import { looksLikeJson } from './json-records.js'
import { type ConvertedFile, CsvWriter, convertJson } from './json-to-csv.js'
import { refusedFile, refuseMarkup, refuseOtherFormats } from './other-formats.js'

/** What an import reads, once it is decompressed, decoded and converted. */
export interface PreparedSource {
  readonly kind: 'csv' | 'parquet'
  /** Of the text in the file; null for Parquet. */
  readonly encoding: string | null
  /** The file to be read: the source itself, or one that was made of it. */
  readonly file: string
  /** Of a file that was no CSV. */
  readonly converted?: ConvertedFile
}

/**
 * Recognises a file by its content, whatever its name is, and makes a CSV in UTF-8 of it where it is none, or decompresses a
 * Parquet file. Throws `malformed-csv` for other formats, and `file-too-large` where more bytes than `maxBytes` come out.
 */
export async function prepareSource(
  task: ImportTask,
  source: FileHandle,
  onBytes: (bytes: number) => void,
): Promise<PreparedSource> {
  const raw: OpenBytes = () => chunksOf(source, onBytes)
  const start = await readHead(raw)
  const isCompressed = start[0] === 0x1f && start[1] === 0x8b
  const content: OpenBytes = isCompressed ? () => bounded(gunzip(raw()), task.maxBytes) : raw
  const head = isCompressed ? await readHead(content) : start
  const { csvOptions } = task
  if (head.toString('latin1', 0, 4) === 'PAR1') {
    refuseOptions(csvOptions, 'Parquet', [...textOptions, 'encoding', 'nulls', 'booleans', 'dateFormat', 'dateFormats'])
    return { kind: 'parquet', encoding: null, file: isCompressed ? await stage(task, content) : task.source }
  }
  refuseOtherFormats(head)
  const encoding = encodingOf(head, csvOptions.encoding)
  const text: OpenBytes = encoding === 'utf-8' ? content : () => bounded(decodeText(content, encoding), task.maxBytes)
  const textHead = encoding === 'utf-8' ? head : await readHead(text)
  refuseMarkup(textHead)
  // Who names a delimiter has a CSV, even if its first value is JSON.
  if (csvOptions.delimiter === undefined && looksLikeJson(textHead.toString())) {
    refuseOptions(csvOptions, 'JSON', textOptions)
    return { kind: 'csv', encoding, file: task.text, converted: await convert(task, text) }
  }
  return { kind: 'csv', encoding, file: text === raw ? task.source : await stage(task, text) }
}

/** All bytes of a file, in chunks that are not changed later. `onBytes` is told how many have been read. */
export async function* chunksOf(file: FileHandle, onBytes: (bytes: number) => void = () => {}): AsyncGenerator<Buffer> {
  for (let at = 0; ; ) {
    const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(chunkBytes), 0, chunkBytes, at)
    if (bytesRead === 0) return
    at += bytesRead
    onBytes(at)
    yield buffer.subarray(0, bytesRead)
  }
}

async function readHead(bytes: OpenBytes): Promise<Buffer> {
  const parts: Buffer[] = []
  let have = 0
  for await (const chunk of bytes()) {
    parts.push(chunk)
    have += chunk.length
    if (have >= headBytes) break
  }
  return Buffer.concat(parts).subarray(0, headBytes)
}

/** The encoding of the text: by the option, or else by its first bytes, or else UTF-8. */
function encodingOf(head: Buffer, asked: string | undefined): string {
  const evident = evidentEncoding(head)
  if (evident?.encoding === 'utf-32') throw refusedFile('The file is UTF-32; save it as UTF-8.')
  if (asked === undefined) return evident?.encoding ?? 'utf-8'
  const encoding = parseEncoding(asked)
  if (evident?.by !== 'mark' || evident.encoding === encoding) return encoding
  throw new Problem(
    'invalid-request',
    `encoding: the file begins with the byte order mark of ${evident.encoding.toUpperCase()}, not of ${encoding}.`,
    { field: 'encoding' },
  )
}

async function stage({ text, maxBytes }: ImportTask, bytes: OpenBytes): Promise<string> {
  const file = await open(text, 'w', 0o600)
  try {
    for await (const chunk of bounded(bytes(), maxBytes)) await file.writeFile(chunk)
  } finally {
    await file.close()
  }
  return text
}

async function convert({ text, maxBytes }: ImportTask, bytes: OpenBytes): Promise<ConvertedFile> {
  const file = await open(text, 'w', 0o600)
  try {
    return await convertJson(bytes, new CsvWriter(file, { maxBytes, tooLarge: () => tooLarge(maxBytes) }))
  } finally {
    await file.close()
  }
}

/** Throws `file-too-large` where more bytes than `maxBytes` come out. */
export async function* bounded(bytes: AsyncIterable<Buffer>, maxBytes: number): AsyncGenerator<Buffer> {
  let have = 0
  for await (const chunk of bytes) {
    have += chunk.length
    if (have > maxBytes) throw tooLarge(maxBytes)
    yield chunk
  }
}

function tooLarge(maxBytes: number): Problem {
  const limit = `${formatBytes(maxBytes)}, the most that it may ("filejobs serve --import-max-size")`
  return new Problem('file-too-large', `Decompressed or converted, the file has more than ${limit}.`, { maxBytes })
}

/** Options for another format would have no effect, or change values that the file says exactly. */
function refuseOptions(csvOptions: CsvOptions, format: string, names: readonly (keyof CsvOptions)[]): void {
  const field = names.find((name) => csvOptions[name] !== undefined && (name !== 'percent' || csvOptions.percent))
  if (field === undefined) return
  throw new Problem('invalid-request', `${field}: the file is ${format}, for which this option has no meaning.`, {
    field,
  })
}

const textOptions = [
  'delimiter',
  'quote',
  'quoteEscape',
  'comment',
  'skipLines',
  'headerLines',
  'header',
  'decimal',
  'thousands',
  'percent',
  'currency',
] as const satisfies (keyof CsvOptions)[]
const chunkBytes = 1024 ** 2
const headBytes = 64 * 1024
