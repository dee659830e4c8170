import { responseLength } from '../../protocol/body-length.js'
import { lookAtFile } from './existing-file.js'
import { change, removeItem, type UploadItem } from './upload-items.js'
import { enqueue } from './upload-queue.js'

/** Leaves files as they are on the server. */
export function skipExisting(items: readonly UploadItem[]): void {
  for (const item of items) removeItem(item)
}

/** Uploads the files beside the existing ones, under names with a number: `photo (2).jpg`. */
export async function keepBoth(items: readonly UploadItem[]): Promise<void> {
  const renamed = await Promise.all(
    items.flatMap(({ files }) => files).map(async (chosen) => ({ ...chosen, name: await freeName(chosen.name) })),
  )
  skipExisting(items)
  enqueue(renamed)
}

/** Those that are being compared. */
const compared = new WeakSet<UploadItem>()

/**
 * Looks at the files that have the names: one with the same bytes needs no upload. Of another one, its size, date and digest are
 * shown. Without an answer an item stays as it is, until it is asked for again.
 */
export function compareExisting(items: readonly UploadItem[]): void {
  for (const item of items) {
    if (compared.has(item) || item.status.peek().existing !== null) continue
    compared.add(item)
    compare(item)
      .catch(() => {})
      .finally(() => compared.delete(item))
  }
}

async function compare(item: UploadItem): Promise<void> {
  const [chosen] = item.files
  if (!chosen) return
  const answer = await lookAtFile(chosen.name, () => item.status.peek().state === 'exists')
  if (!answer?.ok) return
  const size = responseLength(Object.fromEntries(answer.headers))
  if (size === null || item.status.peek().state !== 'exists') return
  const modifiedAt = new Date(answer.headers.get('Last-Modified') ?? 0).toISOString()
  const digest = digestIn(answer.headers.get('Repr-Digest'))
  change(item, { existing: { size, modifiedAt, digest } })
  if (size !== chosen.file.size || digest === null || (await digestChosen(item)) !== digest) return
  if (item.status.peek().state === 'exists') change(item, { state: 'done', isUnchanged: true })
}

/** Those being read, one after another: together they would only take turns at the disk. */
const readings = new WeakMap<UploadItem, Promise<string | null>>()
let lastReading: Promise<unknown> = Promise.resolve()

/** The SHA-256 of the chosen file in hex; null if it cannot be read, or is not wanted any more. It is read once. */
export function digestChosen(item: UploadItem): Promise<string | null> {
  const known = readings.get(item)
  if (known) return known
  const reading = lastReading.then(async () => {
    const isWanted = () => item.status.peek().state === 'exists'
    const { digestOfBlob } = await import('./digest-of-blob.js')
    const digest = await digestOfBlob(item.files[0]!.file, isWanted)
    if (digest !== null) change(item, { digest })
    return digest
  })
  const settled = reading.catch(() => null)
  readings.set(item, settled)
  lastReading = settled
  return settled
}

/** In hex; null if the header has none. */
function digestIn(header: string | null): string | null {
  const [, digest] = /sha-256=:([^:]+):/.exec(header ?? '') ?? []
  if (!digest) return null
  return [...atob(digest)].map((byte) => byte.charCodeAt(0).toString(16).padStart(2, '0')).join('')
}

async function freeName(name: string): Promise<string> {
  const [, start = name, ending = ''] = /^(.*?[^/])((?:\.tar)?\.[^./]{1,10})?$/s.exec(name) ?? []
  for (let number = 2; ; number++) {
    const numbered = `${start} (${number})${ending}`
    const answer = await lookAtFile(numbered)
    if (answer?.status !== 200) return numbered
  }
}
