import { Problem } from '../../protocol/problems.js'
import type { OpenFile, PublishedFiles, Space, StoredFile } from '../stores/files.js'
import type { ArchiveWriter, Chunks } from './archive-writer.js'
import { type Entry, fileEntry } from './selection.js'

/** An entry that is ready for the archive: `place` places it whole. Null: its bytes are yet to be sent. */
export interface ArchivePart {
  entry: Entry
  place: (() => Chunks) | null
}

export type ReadableFiles = Pick<PublishedFiles, 'open' | 'readSmall'>

export interface PartSource {
  files: ReadableFiles
  space: Space
  base: string
  writer: ArchiveWriter
}

/** Groups of small files, which are read and prepared together, and single large ones. */
export async function* partsOf(pages: AsyncIterable<Entry[]>, source: PartSource): AsyncGenerator<ArchivePart[]> {
  for await (const page of pages) {
    for (const group of groupsOf(page)) yield await readGroup(group, source)
  }
}

/** Opens a file that was listed. Throws `file-not-found` if it was removed since, which ends the archive. */
export async function openListed(files: ReadableFiles, space: Space, name: string): Promise<OpenFile> {
  const file = await files.open(space, name)
  if (file) return file
  throw new Problem('file-not-found', `"${name}" was removed while the archive was being sent.`, { name })
}

/** Throws `file-changed`. */
export async function refuseChanged(file: OpenFile): Promise<void> {
  if (!(await file.isUnchanged())) throw changedFile(file.file)
}

export function changedFile({ name }: StoredFile): Problem {
  return new Problem('file-changed', `"${name}" was changed by another program while it was being sent: try again.`, {
    name,
  })
}

function* groupsOf(page: readonly Entry[]): Generator<Entry[]> {
  let group: Entry[] = []
  let bytes = 0
  for (const entry of page) {
    const { size } = entry.member
    if (group.length > 0 && bytes + size > groupBytes) {
      yield group
      group = []
      bytes = 0
    }
    group.push(entry)
    bytes += size
  }
  if (group.length > 0) yield group
}

async function readGroup(group: Entry[], source: PartSource): Promise<ArchivePart[]> {
  const [first] = group
  if (first && isLarge(first)) return [{ entry: first, place: null }]
  const { files, space, writer } = source
  const small = group.flatMap(({ file }) => file ?? [])
  const read = await files.readSmall(space, small)
  const bytesOf = new Map(small.map((file, index) => [file, read[index]]))
  return Promise.all(
    group.map(async (entry): Promise<ArchivePart> => {
      const bytes = entry.file ? bytesOf.get(entry.file) : nothing
      return bytes ? { entry, place: await writer.prepare(entry.member, bytes) } : readOpened(entry, source)
    }),
  )
}

/** A file that was replaced since it was listed, or must be compared with its digest first. */
async function readOpened({ member, file: listed }: Entry, source: PartSource): Promise<ArchivePart> {
  const { files, space, base, writer } = source
  const open = await openListed(files, space, `${base}${member.name}`)
  try {
    const entry = fileEntry(open.file, base)
    if (isLarge(entry)) return { entry, place: null }
    const bytes = Buffer.alloc(open.file.size)
    for (let at = 0; at < bytes.length; ) {
      const length = await open.read(bytes.subarray(at), at)
      if (length === 0) throw changedFile(listed ?? open.file)
      at += length
    }
    await refuseChanged(open)
    return { entry, place: await writer.prepare(entry.member, bytes) }
  } finally {
    await open.close()
  }
}

function isLarge({ member }: Entry): boolean {
  return member.size > groupBytes
}

const nothing = new Uint8Array()
const groupBytes = 256 * 1024
