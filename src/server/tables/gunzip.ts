import { Readable } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { refusedFile } from './other-formats.js'

/** Decompresses gzip data, also of several members. Throws `malformed-csv` if it is damaged or ends too early. */
export async function* gunzip(compressed: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const source = Readable.from(compressed)
  const unzip = createGunzip({ chunkSize: chunkBytes })
  source.on('error', (error) => unzip.destroy(error))
  try {
    for await (const chunk of source.pipe(unzip)) yield chunk as Buffer
  } catch (error) {
    throw damage(error) ?? error
  } finally {
    source.destroy()
    unzip.destroy()
  }
}

function damage(error: unknown): Error | undefined {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  if (code === 'Z_BUF_ERROR')
    return refusedFile('The file is compressed with gzip and ends too early: upload it again.')
  return code.startsWith('Z_')
    ? refusedFile('The file is compressed with gzip and damaged: upload it again.')
    : undefined
}

const chunkBytes = 256 * 1024
