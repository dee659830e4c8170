import { randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { writeDurably } from './durable-write.js'
import { damagedFile } from './json-file.js'

/**
 * The key that tokens are signed with: the given secret (32 bytes or more), else that of secret.key, drawn at the first start.
 * Throws when the file is damaged: a new key would log everybody out in silence.
 */
export async function openSecretKey(dataFolder: string, secret: string | null): Promise<Uint8Array> {
  if (secret !== null) return new TextEncoder().encode(secret)
  const path = join(dataFolder, 'secret.key')
  const stored = await readStored(path)
  if (stored === null) {
    const key = randomBytes(32)
    await writeDurably(path, `${key.toString('base64')}\n`)
    return key
  }
  const key = Buffer.from(stored, 'base64')
  if (key.length < 32) throw damagedFile(path, 'it holds no key of 32 bytes')
  return key
}

async function readStored(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null
    throw error
  }
}
