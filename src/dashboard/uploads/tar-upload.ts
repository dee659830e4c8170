import { batch } from '@preact/signals'
import type { ProblemBody } from '../../protocol/problems.js'
import { filePath, partOfHeader } from '../../protocol/routes.js'
import type { TarLine } from '../../protocol/tars.js'
import { Refusal } from '../api.js'
import { say } from '../words/say.js'
import { faultInTar } from './chosen-files.js'
import type { ChosenFile } from './dropped-files.js'
import { endsOthers } from './lost-job.js'
import { keepTrying, request, type Sender } from './sender.js'
import { type TarItem, tarOf } from './tar-of-files.js'

export interface SmallFilesUpload extends Sender {
  prefix: string
  /** The files that have not arrived. `onDone` and `onFailed` remove one. */
  left: ReadonlySet<ChosenFile>
  replace: boolean
  onDone(file: ChosenFile): void
  onFailed(file: ChosenFile, error: unknown): void
}

/**
 * Sends small files as one stream of the job; one that cannot be stored fails alone. Returns the files that cannot be read,
 * or whose outcome is unknown. `skipArrived` skips files that have arrived although the response was lost.
 */
export async function sendTar(
  id: string,
  files: readonly ChosenFile[],
  upload: SmallFilesUpload,
  skipArrived: () => Promise<void>,
): Promise<ChosenFile[]> {
  const { left, onDone, onFailed } = upload
  const byName = new Map(files.map((chosen) => [chosen.name, chosen]))
  const members = await read(files)
  let attempts = 0
  const send = async () => {
    if (attempts++ > 0) await skipArrived()
    const unsent = members.filter(({ chosen }) => left.has(chosen))
    if (unsent.length === 0) return ''
    const items = unsent.map(({ chosen, bytes }) => ({ name: chosen.name, bytes }))
    return put(id, items, upload)
  }
  try {
    const text = await keepTrying(upload, send)
    // To the last attempt, the server may have refused files that an earlier one had stored.
    if (attempts > 1) await keepTrying(upload, skipArrived)
    // All of them are shown at once.
    batch(() => {
      for (const { name, status, error } of linesOf(text)) {
        const chosen = byName.get(name ?? '')
        if (chosen && left.has(chosen)) status === 'failed' ? onFailed(chosen, refusalIn(error)) : onDone(chosen)
        else if (name === undefined && error) throw refusalIn(error)
      }
    })
  } catch (error) {
    if (!(error instanceof Refusal) || endsOthers(error)) throw error
  }
  return files.filter((chosen) => left.has(chosen))
}

/** Creates empty folders as one stream of the job. One that cannot be created fails alone. */
export async function sendFolders(id: string, chosen: readonly ChosenFile[], upload: SmallFilesUpload): Promise<void> {
  const { left, onDone, onFailed } = upload
  for (const folder of chosen) {
    const fault = faultInTar(folder.name)
    if (fault) onFailed(folder, new Error(say('uploads.badName', { fault })))
  }
  const folders = chosen.filter((folder) => left.has(folder))
  if (folders.length === 0) return
  const byName = new Map(folders.map((folder) => [folder.name, folder]))
  const items = folders.map(({ name }) => ({ name, bytes: new Uint8Array() }))
  try {
    // The response names only those that failed.
    for (const { name, error } of linesOf(await keepTrying(upload, () => put(id, items, upload)))) {
      if (name === undefined && error) throw refusalIn(error)
      const folder = byName.get(name ?? '')
      if (folder && error) onFailed(folder, refusalIn(error))
    }
    for (const folder of folders) if (left.has(folder)) onDone(folder)
  } catch (error) {
    if (!(error instanceof Refusal) || endsOthers(error)) throw error
    for (const folder of folders) onFailed(folder, error)
  }
}

async function put(id: string, items: readonly TarItem[], upload: SmallFilesUpload): Promise<string> {
  const { prefix, replace } = upload
  const headers = {
    Accept: 'application/x-ndjson',
    'Content-Type': 'application/x-tar',
    [partOfHeader]: id,
    ...(replace ? {} : { 'If-None-Match': '*' }),
  }
  const body = tarOf(items.map(({ name, bytes }) => ({ name: name.slice(prefix.length), bytes })))
  return (await request(upload, 'PUT', `${filePath(prefix)}?extract=tar`, { headers, body })).text
}

interface SmallContent {
  chosen: ChosenFile
  bytes: Uint8Array<ArrayBuffer>
}

/** Reads files into memory, except those that cannot be read: one that changes while it is sent would break the request. */
async function read(files: readonly ChosenFile[]): Promise<SmallContent[]> {
  const together = await readTogether(files)
  if (together) return together
  const results = await Promise.allSettled(
    files.map(async (chosen) => ({ chosen, bytes: new Uint8Array(await chosen.file.arrayBuffer()) })),
  )
  return results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []))
}

/** In one go, because the browser needs about as long for each reading as for 64 KiB. Null if one of them cannot be read. */
async function readTogether(files: readonly ChosenFile[]): Promise<SmallContent[] | null> {
  const all = await new Blob(files.map(({ file }) => file)).arrayBuffer().catch(() => null)
  if (all === null) return null
  let at = 0
  return files.map((chosen) => {
    const bytes = new Uint8Array(all, at, chosen.file.size)
    at += bytes.length
    return { chosen, bytes }
  })
}

function linesOf(text: string): Partial<TarLine>[] {
  const lines = text.split('\n').filter((line) => line !== '')
  return lines.map((line) => JSON.parse(line) as Partial<TarLine>)
}

function refusalIn(error: TarLine['error']): Refusal {
  return new Refusal(0, (error ?? {}) as Partial<ProblemBody>)
}
