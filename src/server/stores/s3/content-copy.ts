import { open } from 'node:fs/promises'
import { unlessAborted } from '../../concurrency/abortable.js'
import { diskFull, isDiskFull } from '../disk-full.js'

/** Writes all bytes to a new file at a path. Throws `disk-full` and the signal's reason; the caller removes the file. */
export async function copyContent(
  file: { read(buffer: Buffer, position: number): Promise<number> },
  path: string,
  signal: AbortSignal,
): Promise<void> {
  const target = await open(path, 'wx', 0o600)
  try {
    const buffer = Buffer.allocUnsafeSlow(bufferBytes)
    for (let position = 0; ; ) {
      const bytes = await unlessAborted(file.read(buffer, position), signal)
      if (bytes === 0) return
      for (let at = 0; at < bytes; ) at += (await target.write(buffer, at, bytes - at)).bytesWritten
      position += bytes
    }
  } catch (error) {
    throw isDiskFull(error) ? diskFull(error) : error
  } finally {
    await target.close()
  }
}

const bufferBytes = 512 * 1024
