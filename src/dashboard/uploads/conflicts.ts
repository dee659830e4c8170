import { responseLength } from '../../protocol/body-length.js'
import { filePath } from '../../protocol/routes.js'
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

/**
 * Looks at the file that has the name: one with the same bytes needs no upload. Of another one, its size and date are
 * shown. Without an answer the item stays as it is.
 */
export async function compareExisting(item: UploadItem): Promise<void> {
  const [chosen] = item.files
  if (!chosen) return
  const answer = await fetch(filePath(chosen.name), { method: 'HEAD', cache: 'no-store' }).catch(() => null)
  if (!answer?.ok) return
  const size = responseLength(Object.fromEntries(answer.headers))
  const isSame = size === chosen.file.size && (await isSameContent(chosen.file, answer.headers.get('Repr-Digest')))
  if (size === null || item.status.peek().state !== 'exists') return
  const modifiedAt = new Date(answer.headers.get('Last-Modified') ?? 0).toISOString()
  change(item, isSame ? { state: 'done', isUnchanged: true } : { existing: { size, modifiedAt } })
}

/** False if it is not known: the file is large, or the page was not loaded over https. */
async function isSameContent(file: File, digest: string | null): Promise<boolean> {
  const [, wanted] = /sha-256=:([^:]+):/.exec(digest ?? '') ?? []
  if (!wanted || file.size > maxHashedBytes || !crypto.subtle) return false
  const bytes = await file.arrayBuffer().catch(() => null)
  if (!bytes) return false
  const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes))
  return btoa(String.fromCharCode(...hash)) === wanted
}

async function freeName(name: string): Promise<string> {
  const [, start = name, ending = ''] = /^(.*?[^/])((?:\.tar)?\.[^./]{1,10})?$/s.exec(name) ?? []
  for (let number = 2; ; number++) {
    const numbered = `${start} (${number})${ending}`
    const answer = await fetch(filePath(numbered), { method: 'HEAD', cache: 'no-store' }).catch(() => null)
    if (answer?.status !== 200) return numbered
  }
}

const maxHashedBytes = 64 * 1024 ** 2
