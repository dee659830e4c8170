import { createReadStream } from 'node:fs'
import { appendFile, chmod, open, rename, stat, truncate } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { isMissing } from '../../../protocol/file-errors.js'

/** Every line of `jobs.ndjson` and of the old files, oldest first. */
export async function* readHistory(folder: string): AsyncGenerator<string> {
  for (let age = filesKept; age >= 0; age--) {
    yield* linesOf(historyFile(folder, age))
  }
}

async function* linesOf(file: string): AsyncGenerator<string> {
  if ((await sizeOf(file)) === null) return
  yield* createInterface({ input: createReadStream(file), crlfDelay: Number.POSITIVE_INFINITY })
}

/** `jobs.ndjson` as it grows: at 10 MB a new one is begun, and five old ones are kept. */
export class HistoryFile {
  readonly #folder: string
  readonly #maxFileBytes: number
  #size: number

  private constructor(folder: string, size: number, maxFileBytes: number) {
    this.#folder = folder
    this.#maxFileBytes = maxFileBytes
    this.#size = size
  }

  /** `isCut`: a crash cut its last line short. */
  static async open(folder: string, maxFileBytes = 10 * 1024 ** 2): Promise<{ file: HistoryFile; isCut: boolean }> {
    const path = historyFile(folder, 0)
    const size = (await sizeOf(path)) ?? 0
    return {
      file: new HistoryFile(folder, size, maxFileBytes),
      isCut: size > 0 && !(await endsWithNewline(path, size)),
    }
  }

  /** Begins a new file where this one is full: with the lines of the oldest, which is removed, that are worth it. */
  async rotate(isWorthKeeping: (line: string) => boolean): Promise<void> {
    if (this.#size <= this.#maxFileBytes) return
    const kept: string[] = []
    let bytes = 0
    for await (const line of linesOf(historyFile(this.#folder, filesKept))) {
      const size = Buffer.byteLength(line) + 1
      // At least half of the new file is for new lines.
      if (bytes + size > this.#maxFileBytes / 2 || !isWorthKeeping(line)) continue
      bytes += size
      kept.push(`${line}\n`)
    }
    for (let age = filesKept - 1; age >= 0; age--) {
      await rename(historyFile(this.#folder, age), historyFile(this.#folder, age + 1)).catch(ignoreMissing)
    }
    await chmod(historyFile(this.#folder, 1), 0o600)
    this.#size = 0
    if (kept.length > 0) await this.append(kept.join(''))
  }

  /** Where it fails halfway, the next try must not begin within a line. */
  async append(text: string): Promise<void> {
    const path = historyFile(this.#folder, 0)
    try {
      await appendFile(path, text, { mode: 0o600 })
    } catch (error) {
      await truncate(path, this.#size).catch(ignoreMissing)
      throw error
    }
    this.#size += Buffer.byteLength(text)
  }
}

const filesKept = 5

function historyFile(folder: string, age: number): string {
  return join(folder, age === 0 ? 'jobs.ndjson' : `jobs.${age}.ndjson`)
}

async function sizeOf(file: string): Promise<number | null> {
  return stat(file).then(
    ({ size }) => size,
    () => null,
  )
}

async function endsWithNewline(file: string, size: number): Promise<boolean> {
  const handle = await open(file, 'r')
  try {
    const { buffer } = await handle.read({ buffer: Buffer.alloc(1), position: size - 1 })
    return buffer.toString() === '\n'
  } finally {
    await handle.close()
  }
}

function ignoreMissing(error: unknown): void {
  if (!isMissing(error)) throw error
}
