import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { faultOfName } from '../../../protocol/file-name.js'
import { roles } from '../../../protocol/roles.js'
import { metadataPath } from './metadata-paths.js'

/**
 * Moves the metadata that earlier versions wrote, `SHA256.json` for each name in one folder, to where it belongs now.
 * May be interrupted and repeated. Synchronous, because it is much faster, and runs before the server listens.
 */
export function moveFlatMetadata(meta: string): void {
  for (const role of roles) {
    for (const username of entriesOf(join(meta, role))) {
      const folder = join(meta, role, username)
      for (const entry of entriesOf(folder)) {
        if (/^[0-9a-f]{64}\.json(\.new)?$/.test(entry)) moveOne(meta, { role, username }, join(folder, entry))
      }
    }
  }
}

function moveOne(meta: string, space: { role: string; username: string }, path: string): void {
  const name = nameIn(readFileSync(path, 'utf8'))
  if (name === undefined || faultOfName(name) !== undefined || !path.endsWith(`/${digestOf(name)}.json`)) {
    rmSync(path)
    return
  }
  const target = metadataPath(meta, space, name)
  mkdirSync(dirname(target), { recursive: true, mode: 0o700 })
  renameSync(path, target)
}

function nameIn(text: string): string | undefined {
  try {
    const { name } = JSON.parse(text) as { name?: unknown }
    return typeof name === 'string' ? name : undefined
  } catch {
    return undefined
  }
}

function digestOf(name: string): string {
  return createHash('sha256').update(name).digest('hex')
}

function entriesOf(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}
