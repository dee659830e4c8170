import { readFile } from 'node:fs/promises'
import { type Adapter, Low } from 'lowdb'
import type { z } from 'zod'
import { Problem } from '../../../protocol/problems.js'
import { writeDurably } from './durable-write.js'

/** A JSON file that is held in memory: change `data`, then `save`. */
export interface JsonFile<T> {
  readonly data: T
  /** Durable when it resolves. Calls during a write share the one write after it. */
  save(): Promise<void>
  /** Waits for the writes under way. */
  close(): Promise<void>
}

/** Reads the file, or begins with `initial` where there is none. Throws when it is damaged, and leaves it untouched. */
export async function openJsonFile<T>(path: string, schema: z.ZodType<T>, initial: T): Promise<JsonFile<T>> {
  const adapter = new DurableAdapter(path, schema)
  const low = new Low<T>(adapter, initial)
  await low.read()
  return {
    data: low.data,
    save: () => low.write(),
    close: () => adapter.idle(),
  }
}

/** Says what is wrong with a file that only this program should write, and the ways out. */
export function damagedFile(path: string, reason: string, cause?: unknown): Problem {
  const ways = 'Repair it, put back a copy from a backup, or move it away to start without it; it was left as it is.'
  return new Problem('internal', `${path} is damaged: ${reason}. ${ways}`, {}, { cause })
}

interface Waiting {
  resolve: () => void
  reject: (error: unknown) => void
}

/** Our own, because lowdb's neither syncs nor keeps the file from other users of the machine. */
class DurableAdapter<T> implements Adapter<T> {
  readonly #path: string
  readonly #schema: z.ZodType<T>
  #waiting: Waiting[] = []
  #draining: Promise<void> | null = null

  constructor(path: string, schema: z.ZodType<T>) {
    this.#path = path
    this.#schema = schema
  }

  async read(): Promise<T | null> {
    const text = await readIfThere(this.#path)
    if (text === null) return null
    const result = this.#schema.safeParse(parseJson(text, this.#path))
    if (result.success) return result.data
    const { path, message } = result.error.issues[0]!
    throw damagedFile(this.#path, [path.join('.'), message].filter(Boolean).join(': '), result.error)
  }

  write(data: T): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject })
      this.#draining ??= this.#drain(data)
    })
  }

  async idle(): Promise<void> {
    await this.#draining
  }

  /** `data` is changed in place, so that each turn writes the newest. */
  async #drain(data: T): Promise<void> {
    while (this.#waiting.length > 0) {
      const batch = this.#waiting
      this.#waiting = []
      try {
        await writeDurably(this.#path, `${JSON.stringify(data, null, 1)}\n`)
        for (const { resolve } of batch) resolve()
      } catch (error) {
        for (const { reject } of batch) reject(error)
      }
    }
    this.#draining = null
  }
}

async function readIfThere(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null
    throw error
  }
}

function parseJson(text: string, path: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    const reason = text.trim() === '' ? 'it is empty' : `it is not whole JSON (${String(error)})`
    throw damagedFile(path, reason, error)
  }
}
