import { randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { isMissing } from '../../../protocol/file-errors.js'
import { writeDurably } from './durable-write.js'
import { corruptStateFile } from './json-file.js'

/**
 * The key that signs tokens: the given secret (32 bytes or more), or that of secret.key, generated at the first start.
 * Throws if the file is damaged: a new key would silently log everyone out.
 */
export async function openSecretKey(dataFolder: string, secret: string | null): Promise<Uint8Array> {
  if (secret !== null) return new TextEncoder().encode(secret)
  const stored = await readSecretKey(dataFolder)
  if (stored) return stored
  const key = randomBytes(32)
  await writeDurably(pathOf(dataFolder), `${key.toString('base64')}\n`)
  return key
}

/** The key of secret.key; null if there is none. Throws if the file is damaged. */
export async function readSecretKey(dataFolder: string): Promise<Buffer | null> {
  const path = pathOf(dataFolder)
  const stored = await readStored(path)
  if (stored === null) return null
  const key = Buffer.from(stored, 'base64')
  if (key.length < 32) throw corruptStateFile(path, 'it holds no key of 32 bytes')
  return key
}

function pathOf(dataFolder: string): string {
  return join(dataFolder, 'secret.key')
}

async function readStored(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if (isMissing(error)) return null
    throw error
  }
}
