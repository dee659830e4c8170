import { extname } from 'node:path'
import { formatBytes } from '../protocol/units.js'
import { visible } from './escape.js'
import { Failure } from './exit-codes.js'
import { openHttpClient } from './http-client.js'
import { wordNoRoom } from './no-room.js'
import { openProgress } from './progress.js'
import { mediaTypes, type RowFormat, type WholeRows } from './rows.js'
import type { Session } from './session.js'
import { exportRows } from './transfers/export-rows.js'
import { oneByOne } from './transfers/one-by-one.js'
import { openTarget, streamTarget } from './transfers/targets.js'

export interface WholeOptions {
  csv?: boolean
  format?: string
  output?: string
  force?: boolean
}

/**
 * The format in which all rows are wanted; undefined for a page of them. Throws a Failure for an unknown one, and for Parquet on a
 * terminal.
 */
export function wholeFormat({ output, context }: Session, options: WholeOptions): RowFormat | undefined {
  const { csv, format, output: path } = options
  if (format !== undefined && !Object.hasOwn(mediaTypes, format)) {
    throw new Failure('wrongUse', `--format must be csv, ndjson or parquet, not "${format}".`)
  }
  const asked = (format as RowFormat | undefined) ?? (csv ? 'csv' : output.json ? 'ndjson' : undefined)
  const found = asked ?? (path === undefined ? undefined : (byExtension[extname(path).toLowerCase()] ?? 'csv'))
  if (found === 'parquet' && (path === undefined || path === '-') && context.stdout.isTTY) {
    throw new Failure('wrongUse', 'Parquet is no text for a terminal: write it to a file by -o FILE.')
  }
  return found
}

const byExtension: Record<string, RowFormat> = {
  '.parquet': 'parquet',
  '.ndjson': 'ndjson',
  '.jsonl': 'ndjson',
  '.json': 'ndjson',
}

/** Writes all rows to stdout or to a file, the latter whole or not at all. */
export async function printWhole(
  session: Session,
  wanted: WholeRows,
  { output: path, force = false }: WholeOptions,
  waitSeconds: number | null,
): Promise<void> {
  const { output, server, userAgent, context } = session
  const toStdout = path === undefined || path === '-'
  const http = await openHttpClient(server, await session.token(), userAgent)
  const tools = { http, api: await session.api(), progress: await openProgress(output), note: output.note }
  const { title } = wanted
  try {
    await oneByOne(session, [{ name: title }], async (_, job) => {
      const open = async () => (toStdout ? streamTarget(context.stdout) : openTarget(path, { force }))
      const bytes = await exportRows(tools, wanted, open, waitSeconds, job).catch(wordNoRoom(path ?? 'stdout'))
      const words = `Wrote ${title} to ${visible(path ?? '')} (${formatBytes(bytes)})`
      if (!toStdout) output.result({ table: title, path, bytes }, words)
    })
  } finally {
    http.close()
  }
}
