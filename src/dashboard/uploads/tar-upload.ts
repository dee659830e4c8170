import type { ProblemBody } from '../../protocol/problems.js'
import { filePath, partOfHeader } from '../../protocol/routes.js'
import type { TarLine } from '../../protocol/tars.js'
import { Refusal } from '../api.js'
import { isPlain } from './chosen-files.js'
import type { ChosenFile } from './dropped-files.js'
import { endsOthers } from './lost-job.js'
import { keepTrying, request, type Sender } from './sender.js'
import { tarOf } from './tar-of-files.js'

export interface SmallFilesUpload extends Sender {
  prefix: string
  /** The files that have not arrived. `onDone` and `onFailed` remove one. */
  left: ReadonlySet<ChosenFile>
  replace: boolean
  onDone(file: ChosenFile): void
  onFailed(file: ChosenFile, error: unknown): void
}

/** Groups small files into tars, because a request for each would take longer than its bytes. */
export function tarsOf(files: Iterable<ChosenFile>): { tars: ChosenFile[][]; others: ChosenFile[] } {
  const tars: ChosenFile[][] = []
  const others: ChosenFile[] = []
  const names = new Set<string>()
  let bytes = 0
  for (const chosen of files) {
    const { name, file } = chosen
    // A tar with a name twice is refused.
    if (file.size > maxSmallBytes || !isPlain(name) || names.has(name)) {
      others.push(chosen)
      continue
    }
    names.add(name)
    bytes += file.size
    const last = tars.at(-1)
    if (last && last.length < maxFiles && bytes <= maxTarBytes) last.push(chosen)
    else {
      tars.push([chosen])
      bytes = file.size
    }
  }
  return { tars, others }
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
  const { prefix, left, replace, onDone, onFailed } = upload
  const headers = {
    Accept: 'application/x-ndjson',
    'Content-Type': 'application/x-tar',
    [partOfHeader]: id,
    ...(replace ? {} : { 'If-None-Match': '*' }),
  }
  const byName = new Map(files.map((chosen) => [chosen.name, chosen]))
  const members = await read(files)
  let attempts = 0
  const send = async () => {
    if (attempts++ > 0) await skipArrived()
    const unsent = members.filter(({ chosen }) => left.has(chosen))
    if (unsent.length === 0) return ''
    const body = tarOf(unsent.map(({ chosen, bytes }) => ({ name: chosen.name.slice(prefix.length), bytes })))
    return (await request(upload, 'PUT', `${filePath(prefix)}?extract=tar`, { headers, body })).text
  }
  try {
    const text = await keepTrying(upload, send)
    // To the last attempt, the server may have refused files that an earlier one had stored.
    if (attempts > 1) await keepTrying(upload, skipArrived)
    for (const { name, status, error } of linesOf(text)) {
      const chosen = byName.get(name ?? '')
      if (chosen && left.has(chosen)) status === 'failed' ? onFailed(chosen, refusalIn(error)) : onDone(chosen)
      else if (name === undefined && error) throw refusalIn(error)
    }
  } catch (error) {
    if (!(error instanceof Refusal) || endsOthers(error)) throw error
  }
  return files.filter((chosen) => left.has(chosen))
}

/** Those that can be read, in memory: one that changes meanwhile would break the request of all. */
async function read(files: readonly ChosenFile[]): Promise<{ chosen: ChosenFile; bytes: ArrayBuffer }[]> {
  const results = await Promise.allSettled(
    files.map(async (chosen) => ({ chosen, bytes: await chosen.file.arrayBuffer() })),
  )
  return results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []))
}

function linesOf(text: string): Partial<TarLine>[] {
  const lines = text.split('\n').filter((line) => line !== '')
  return lines.map((line) => JSON.parse(line) as Partial<TarLine>)
}

function refusalIn(error: TarLine['error']): Refusal {
  return new Refusal(0, (error ?? {}) as Partial<ProblemBody>)
}

const maxSmallBytes = 64 * 1024
const maxFiles = 200
const maxTarBytes = 4 * 1024 ** 2
