import { readFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { type Adapter, Low } from 'lowdb'
import type { z } from 'zod'
import { isMissing } from '../../../protocol/file-errors.js'
import { Problem } from '../../../protocol/problems.js'
import { Coalescer } from '../../concurrency/coalescer.js'
import { noReserve, type ReserveUse } from './disk-reserve.js'
import { writeDurably } from './durable-write.js'
import { rememberFolder } from './folder-identity.js'

/** A JSON file that is held in memory: change `data`, then call `save`. */
export interface JsonFile<T> {
  readonly data: T
  /** Durable when it resolves. Calls during a write share the next one. */
  save(): Promise<void>
  /** Like `save`, for a change that must also be possible on a full disk. */
  saveWithReserve(): Promise<void>
  /** Waits for running writes. */
  close(): Promise<void>
}

/** Reads the file, or starts with `initial` if it is missing. Throws if it is damaged, and leaves it unchanged. */
export async function openJsonFile<T>(
  path: string,
  schema: z.ZodType<T>,
  initial: T,
  reserve: ReserveUse = noReserve,
): Promise<JsonFile<T>> {
  const adapter = new DurableAdapter(path, schema, { reserve, checkFolder: await rememberFolder(dirname(path)) })
  const low = new Low<T>(adapter, initial)
  await low.read()
  return {
    data: low.data,
    save: () => low.write(),
    saveWithReserve: () => adapter.write(low.data, true),
    close: () => adapter.idle(),
  }
}

/** The error for a damaged file that only this program should write, with advice. */
export function corruptStateFile(path: string, reason: string, cause?: unknown): Problem {
  const ways = 'Repair it, put back a copy from a backup, or move it away to start without it; it was left as it is.'
  return new Problem('internal', `${path} is damaged: ${reason}. ${ways}`, {}, { cause })
}

interface Surroundings {
  reserve: ReserveUse
  /** Throws if the file's folder no longer exists. */
  checkFolder(): Promise<void>
}

interface Write {
  /** Changed in place, so that each write takes the newest. */
  data: unknown
  usesReserve: boolean
}

/** Our own, because lowdb's adapter neither syncs nor restricts the file's mode. */
class DurableAdapter<T> implements Adapter<T> {
  readonly #path: string
  readonly #schema: z.ZodType<T>
  readonly #surroundings: Surroundings
  readonly #writes = new Coalescer<Write>((writes) => this.#writeAll(writes))

  constructor(path: string, schema: z.ZodType<T>, surroundings: Surroundings) {
    this.#path = path
    this.#schema = schema
    this.#surroundings = surroundings
  }

  async read(): Promise<T | null> {
    const text = await readIfThere(this.#path)
    if (text === null) return null
    const result = this.#schema.safeParse(parseJson(text, this.#path))
    if (result.success) return result.data
    const { path, message } = result.error.issues[0]!
    throw corruptStateFile(this.#path, [path.join('.'), message].filter(Boolean).join(': '), result.error)
  }

  write(data: T, usesReserve = false): Promise<void> {
    return this.#writes.run({ data, usesReserve })
  }

  idle(): Promise<void> {
    return this.#writes.idle()
  }

  async #writeAll(writes: Write[]): Promise<void> {
    const { reserve, checkFolder } = this.#surroundings
    await checkFolder()
    const write = () => writeDurably(this.#path, `${JSON.stringify(writes.at(-1)!.data, null, 1)}\n`)
    await (writes.some(({ usesReserve }) => usesReserve) ? reserve.use(write) : write())
  }
}

async function readIfThere(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if (isMissing(error)) return null
    throw error
  }
}

function parseJson(text: string, path: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    const reason = text.trim() === '' ? 'it is empty' : `it is not whole JSON (${String(error)})`
    throw corruptStateFile(path, reason, error)
  }
}
