import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { Problem } from '../../../protocol/problems.js'
import { version } from '../../../protocol/version.js'
import { writeDurably } from './durable-write.js'
import { moveFlatMetadata } from './flat-metadata.js'
import { corruptStateFile } from './json-file.js'
import { missingAsUndefined } from './missing.js'

/**
 * The steps from each format of a data folder to the next one. Each may be interrupted and repeated, and finds the folder
 * locked. Formats: 0 has no `format.json`, and may have flat metadata; 1 has metadata in the folders of `uploads/`.
 */
const upgrades: readonly ((root: string) => void | Promise<void>)[] = [(root) => moveFlatMetadata(join(root, 'meta'))]

/** The format of the data folders that this program writes. */
export const dataFormat = upgrades.length

const formatSchema = z.object({ format: z.int().min(0), writtenBy: z.string() })

/**
 * Throws `invalid-request` if a newer program has written the folder. Changes nothing, so that the program that knows the folder finds
 * it as it was. Returns its format; 0 also for a folder that is missing or new.
 */
export async function checkDataFormat(root: string): Promise<number> {
  const path = join(root, 'format.json')
  const text = await readIfThere(path)
  if (text === undefined) return 0
  const parsed = formatSchema.safeParse(parseJson(text))
  if (!parsed.success) throw corruptStateFile(path, 'it does not tell the format of the folder', parsed.error)
  const { format, writtenBy } = parsed.data
  if (format <= dataFormat) return format
  const known = `this is ${version()}, which knows formats up to ${dataFormat}`
  const advice = `Use filejobs ${writtenBy} or later, or restore a backup from before the upgrade. Nothing was changed.`
  throw unusable(`${root} has format ${format}, written by filejobs ${writtenBy}; ${known}. ${advice}`)
}

/** Brings a folder to the format of this program, step by step. The caller has its lock. Throws like `checkDataFormat`. */
export async function upgradeDataFolder(root: string): Promise<void> {
  const from = await checkDataFormat(root)
  for (const upgrade of upgrades.slice(from)) await upgrade(root)
  if (from < dataFormat) await writeDataFormat(root)
}

function writeDataFormat(root: string): Promise<void> {
  return writeDurably(join(root, 'format.json'), `${JSON.stringify({ format: dataFormat, writtenBy: version() })}\n`)
}

function unusable(reason: string): Problem {
  return new Problem('invalid-request', `--data: ${reason}`, { field: '--data' })
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function readIfThere(path: string): Promise<string | undefined> {
  return readFile(path, 'utf8').catch(missingAsUndefined)
}
