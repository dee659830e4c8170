import type { ImportAnswer, ImportBody, TableImport } from '../../dist/protocol/tables.js'
import type { Answer, Caller } from './calls.js'

/** Asks for an import and waits for its end. */
export function requestImport(caller: Caller, request: ImportBody): Promise<Answer> {
  return caller.call('/import', { method: 'POST', body: request, headers: { Prefer: 'wait=100' } })
}

/** Uploads a CSV and makes a table of it. */
export async function makeTable(
  caller: Caller,
  table: string,
  content: string | Uint8Array,
  request: Partial<ImportBody> = {},
): Promise<TableImport> {
  const filename = request.filename ?? `${table}.csv`
  const uploaded = await caller.put(encodeURIComponent(filename), content)
  if (uploaded.status >= 300) throw new Error(`put ${filename}: ${uploaded.status} ${uploaded.body}`)
  const { status, body, json } = await requestImport(caller, { filename, table, ...request })
  if (status !== 200) throw new Error(`import ${filename}: ${status} ${body}`)
  return (json as ImportAnswer).import!
}
