import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import type { AdoptedFiles } from '../stores/s3/adopted-files.js'
import type { AdoptedImport, AdoptedTables } from '../stores/s3/adopted-tables.js'
import type { FileStorage } from '../stores/s3/stored-file.js'
import type { StoredImport } from '../stores/tables.js'
import type { FailedFile } from './file-mover.js'
import { sendLarge, Unsendable } from './sent-files.js'
import type { SourceFolder } from './source-folder.js'

/** What happened to the tables. */
export interface MovedTables {
  tables: number
  imports: number
  failed: FailedFile[]
}

export interface TableMoverServices {
  source: SourceFolder
  storage: FileStorage
  files: Pick<AdoptedFiles, 'discard'>
  adopted: AdoptedTables
  /** Called with bytes that the cluster has. */
  advance: (bytes: number) => void
}

/** Makes the tables of the cluster those of the folder. Imports that an earlier run has sent are not sent again. */
export async function moveTables(services: TableMoverServices): Promise<MovedTables> {
  const { source, adopted } = services
  const moved: MovedTables = { tables: 0, imports: 0, failed: [] }
  for (const space of source.spaces) {
    const names: string[] = []
    for (const { name, changedAt, imports } of await source.tables.list(space)) {
      const there = await adopted.find(space, name)
      const sent: AdoptedImport[] = []
      for (const each of imports) {
        const result = await moveImport(services, each, there.get(each.id))
        if ('why' in result) moved.failed.push(result)
        else sent.push(result)
      }
      if (sent.length === 0) continue
      await adopted.replace(space, { name, changedAt, imports: sent })
      names.push(name)
      moved.imports += sent.length
    }
    await adopted.removeOthers(space, names)
    moved.tables += names.length
  }
  await adopted.finish(source.spaces, source.state.counters.import ?? 0)
  return moved
}

async function moveImport(
  { source, storage, files, advance }: TableMoverServices,
  imported: StoredImport,
  there: AdoptedImport | undefined,
): Promise<AdoptedImport | FailedFile> {
  const { id, importedAt, path: relative, ...record } = imported
  const { outputSha256, bytes } = record
  const isThere = there && outputSha256 !== null && there.record.outputSha256 === outputSha256
  if (isThere && there.size === bytes) {
    advance(bytes)
    return { id, importedAt, content: there.content, size: there.size, record }
  }
  const path = join(source.tables.folder, relative)
  const content = randomUUID()
  const file = {
    ...{ name: relative, path, size: bytes, sha256: outputSha256, type: '', isDateStrong: true, isDamaged: false },
    publishedAt: new Date(importedAt),
  }
  const result = await sendLarge(storage, file, { content, onBytes: advance })
  if (!(result instanceof Unsendable)) return { id, importedAt, content, size: bytes, record }
  await files.discard(content)
  return { path, why: result.message, isDamage: result.isDamage }
}
