import { createHash } from 'node:crypto'
import { onTestFinished } from 'vitest'
import type { Publication } from '../../../dist/protocol/folder-jobs.js'
import type { OpenFile, PublishedFiles, Space } from '../../../dist/server/stores/files.js'
import type { Folders } from '../../../dist/server/stores/folders.js'
import type { PartialFile, Partials } from '../../../dist/server/stores/partials.js'
import type { Precondition } from '../../../dist/server/stores/precondition.js'

/** The argument of the suites of files and of partials: a store, and the same data as a later run of the server finds it. */
export interface FileStores {
  files: PublishedFiles
  folders: Folders
  partials: Partials
  restart(): Promise<FileStores>
}

export const ann = { role: 'user', username: 'ann' }
export const bob = { role: 'user', username: 'bob' }

/** What a job has published, for a stage to keep. */
export function publicationOf(counts: Partial<Publication> = {}): Publication {
  return { files: 0, bytes: 0, created: 0, replaced: 0, unchanged: 0, removed: 0, failed: 0, ...counts }
}

let filled = 0

/** Closes the partial at the end of the test. */
export async function opened<T extends PartialFile | undefined>(opening: Promise<T>): Promise<T> {
  const partial = await opening
  onTestFinished(() => partial?.close())
  return partial
}

/** A partial that holds `content`, synced. */
export async function fill(partials: Partials, content: string | Buffer): Promise<PartialFile> {
  const bytes = Buffer.from(content)
  const partial = await opened(partials.create(`partial-${filled++}`))
  await partial.append(bytes, bytes.length)
  await partial.sync()
  return partial
}

/** Publishes `content`; nothing is left of it where that is refused. */
export async function publish(
  { partials }: Pick<FileStores, 'partials'>,
  name: string,
  content: string | Buffer,
  { space = ann, precondition }: { space?: Space; precondition?: Precondition } = {},
) {
  const partial = await fill(partials, content)
  const digest = await partial.digest('sha256')
  try {
    return await partial.publish({
      space,
      name,
      type: 'text/x-test',
      sha256: digest,
      ...(precondition ? { precondition } : {}),
    })
  } catch (error) {
    await partial.remove()
    throw error
  }
}

export async function read(files: PublishedFiles, name: string, space: Space = ann): Promise<string> {
  const file = await files.open(space, name)
  if (!file) throw new Error(`There is no file ${name}.`)
  try {
    return (await readAll(file)).toString()
  } finally {
    await file.close()
  }
}

export async function readAll(file: OpenFile): Promise<Buffer> {
  const chunks: Buffer[] = []
  for (let position = 0; ; ) {
    const chunk = Buffer.alloc(1000)
    const bytes = await file.read(chunk, position)
    if (bytes === 0) return Buffer.concat(chunks)
    chunks.push(chunk.subarray(0, bytes))
    position += bytes
  }
}

export async function names(files: PublishedFiles, space: Space = ann): Promise<string[]> {
  return (await files.list(space, { prefix: '', after: '', limit: 1000 })).map(({ name }) => name)
}

export function sha256(content: string | Buffer): string {
  return createHash('sha256').update(content).digest('hex')
}
