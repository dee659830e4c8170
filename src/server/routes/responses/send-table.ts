import type { HttpBindings } from '@hono/node-server'
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response'
import { jobHeader } from '../../../protocol/routes.js'
import type { Identity } from '../../auth/identity.js'
import type { StoredTable } from '../../stores/tables.js'
import type { ResultFormat } from '../../tables/result-messages.js'
import type { RowFilter } from '../../tables/row-filter.js'
import type { RowShape } from '../../tables/rows-select.js'
import type { TableExports } from '../../tables/table-exports.js'
import type { TextFormat } from '../../tables/table-rows.js'
import { isNotModified } from '../headers/conditions.js'
import { jobIdOf } from '../headers/preferences.js'
import { slotWaitOf } from '../headers/slot-wait.js'
import { exportOutput } from './export-output.js'
import { tableValidators } from './table-answers.js'
import { validatorHeaders } from './validators.js'

export interface TableAnswer {
  env: HttpBindings
  identity: Identity
  tableExports: TableExports
  table: StoredTable
  filter: RowFilter & RowShape
  format: ResultFormat
  /** How long to wait for a slot if the request does not say it; default: not. */
  waitMs?: number
}

const mediaTypes = {
  csv: 'text/csv; charset=utf-8; header=present',
  ndjson: 'application/x-ndjson',
  parquet: 'application/vnd.apache.parquet',
} as const satisfies Record<ResultFormat, string>

/** The first supported format that Accept names; undefined for JSON, the default. */
export function wantedFormat(accept: string | undefined): ResultFormat | undefined {
  for (const range of (accept ?? '').split(',')) {
    const [type = ''] = range.split(';')
    if (type.trim() === 'text/csv') return 'csv'
    if (type.trim() === 'application/x-ndjson') return 'ndjson'
    if (type.trim() === mediaTypes.parquet) return 'parquet'
    if (type.trim() === 'application/json') return undefined
  }
  return undefined
}

/** The formats that a link can name, because a browser that follows it sends an Accept of its own. */
export const resultFormats = Object.keys(mediaTypes) as ResultFormat[]

/** Like `wantedFormat`, for what is no table: no Parquet. */
export function wantedText(accept: string | undefined): TextFormat | undefined {
  const format = wantedFormat(accept)
  return format === 'parquet' ? undefined : format
}

/** The headers of all rows in a format. */
export function formatHeaders(name: string, format: ResultFormat): Record<string, string> {
  return {
    'Content-Type': mediaTypes[format],
    'Content-Disposition': `attachment; filename="${name}.${format}"`,
    'X-Content-Type-Options': 'nosniff',
    'Content-Security-Policy': "sandbox; default-src 'none'",
  }
}

/** Sends all rows of a table, as an export job. Throws like `TableExports.send`. */
export async function sendTable({ env, identity, tableExports, waitMs, ...rest }: TableAnswer): Promise<Response> {
  const { incoming, outgoing } = env
  const validators = tableValidators(rest.table, [rest.format, rest.filter])
  if (isNotModified(incoming, validators))
    return new Response(null, { status: 304, headers: validatorHeaders(validators) })
  const headers = {
    ...formatHeaders(rest.table.name, rest.format),
    ...validatorHeaders(validators),
  }
  if (incoming.method === 'HEAD') return new Response(null, { headers })
  await tableExports.send({
    identity,
    ...rest,
    jobId: jobIdOf(incoming.headers[jobHeader.toLowerCase()] as string | undefined),
    waitMs: slotWaitOf(incoming, waitMs),
    ...exportOutput(outgoing, 200, headers),
  })
  return RESPONSE_ALREADY_SENT
}
