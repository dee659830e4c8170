import { readdir, readFile, stat, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import type { AbandonedPartial } from '../partials.js'
import { writeDurably } from './durable-write.js'
import { missingAsUndefined } from './missing.js'

/** Bytes as `ID.bin`, the state beside them as `ID.json`. */
export function partialPath(folder: string, id: string): string {
  return join(folder, `${id}.bin`)
}

export async function writeState(folder: string, id: string, state: object): Promise<void> {
  await writeDurably(join(folder, `${id}.json`), `${JSON.stringify(state)}\n`)
}

export async function listPartials(folder: string): Promise<AbandonedPartial[]> {
  const ids = (await readdir(folder)).flatMap((name) => /^(?!\.)(.+)\.(?:bin|json)$/.exec(name)?.[1] ?? [])
  const found = await Promise.all([...new Set(ids)].map((id) => findPartial(folder, id)))
  return found.filter((partial) => partial !== undefined)
}

/** The state is removed first: a state without a partial means that it was published. */
export async function removePartial(folder: string, id: string): Promise<void> {
  for (const name of [`${id}.json`, `.${id}.json.tmp`, `${id}.bin`]) await removeFile(join(folder, name))
}

export async function measurePartials(folder: string): Promise<{ count: number; bytes: number }> {
  const usage = { count: 0, bytes: 0 }
  for (const name of await readdir(folder)) {
    const stats = name.endsWith('.bin') ? await stat(join(folder, name)).catch(missingAsUndefined) : undefined
    if (!stats) continue
    usage.count += 1
    usage.bytes += stats.size
  }
  return usage
}

/** Removing a missing one is not an error. */
export async function removeFile(path: string): Promise<void> {
  await unlink(path).catch(missingAsUndefined)
}

export async function findPartial(folder: string, id: string): Promise<AbandonedPartial | undefined> {
  const bytes = await stat(partialPath(folder, id)).catch(missingAsUndefined)
  const path = join(folder, `${id}.json`)
  const file = bytes ?? (await stat(path).catch(missingAsUndefined))
  return file && { id, size: bytes?.size ?? null, modifiedAt: file.mtime, state: await readState(path) }
}

async function readState(path: string): Promise<unknown> {
  const text = await readFile(path, 'utf8').catch(missingAsUndefined)
  if (text === undefined) return undefined
  try {
    return JSON.parse(text)
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}
