import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi'
import type { Context } from 'hono'
import { Problem } from '../../protocol/problems.js'
import { routes, tablePath } from '../../protocol/routes.js'
import {
  defaultPageRows,
  maxPageRows,
  rowsSchema,
  summarySchema,
  tableListSchema,
  tableSchema,
} from '../../protocol/tables.js'
import { requirePermission } from '../auth/permissions.js'
import { problemResponses } from '../http/answers.js'
import type { AppEnv } from '../http/app-env.js'
import { leftSignal } from '../http/connection.js'
import { validate } from '../http/json-body.js'
import { sendTable, wantedText } from '../http/send-table.js'
import { tableRecord } from '../http/table-answers.js'
import type { Space } from '../stores/files.js'
import type { StoredTable, TableStore } from '../stores/tables.js'
import type { TableExports } from '../tables/table-exports.js'
import type { TableRows } from '../tables/table-rows.js'
import type { TableSummaries } from '../tables/table-summaries.js'
import { requireEngine } from '../tables/unavailable.js'

export interface TableServices {
  tables: TableStore
  tableRows: TableRows
  tableSummaries: TableSummaries
  tableExports: TableExports
}

/** `/tables`: what was imported, and its rows. */
export function tableRoutes({ tables, tableRows, tableSummaries, tableExports }: TableServices) {
  const app = new OpenAPIHono<AppEnv>()

  const find = async (space: Space, name: string): Promise<StoredTable> => {
    requireEngine()
    const table = await tables.find(space, name)
    if (!table) throw noTable(name)
    return table
  }

  app.openapi(listRoute, async (c) => {
    requireEngine()
    const found = await tables.list(c.get('identity').account)
    return c.json({ tables: found.map(tableRecord) }, 200)
  })

  app.openapi(oneRoute, async (c) => {
    const table = await find(c.get('identity').account, c.req.valid('param').table)
    return c.json(tableRecord(table), 200)
  })

  app.openapi(summaryRoute, async (c) => {
    const table = await find(c.get('identity').account, c.req.valid('param').table)
    return c.json(await tableSummaries.summarise(table, leftSignal(c.env.outgoing)), 200)
  })

  app.openAPIRegistry.registerPath(rowsRoute)
  app.get(`${routes.tables}/:table/rows`, async (c) => {
    const table = await find(c.get('identity').account, c.req.param('table'))
    const format = wantedText(c.req.header('accept'))
    if (format) {
      const filter = validate(c.req.query(), wholeQuery)
      return sendTable({ env: c.env, identity: c.get('identity'), tableExports, table, filter, format })
    }
    const query = validate(c.req.query(), pageQuery)
    const { count, columns, rows } = await tableRows.page(table, query, leftSignal(c.env.outgoing))
    const results = rows.map((row) => Object.fromEntries(row.map((value, at) => [columns[at]!.name, value])))
    const end = query.offset + rows.length
    return c.json({ count, ...neighbours(c, table, query, { count, end }), limit: query.limit, columns, results }, 200)
  })

  app.openapi(removeRoute, async (c) => {
    requirePermission(c.get('identity'), 'importTables')
    const name = c.req.valid('param').table
    if (!(await tables.remove(c.get('identity').account, name))) throw noTable(name)
    return c.body(null, 204)
  })

  app.openapi(removeImportRoute, async (c) => {
    requirePermission(c.get('identity'), 'importTables')
    const { table, id } = c.req.valid('param')
    const removed = /^\d{1,15}$/.test(id) && (await tables.removeImport(c.get('identity').account, table, Number(id)))
    if (!removed) throw new Problem('table-not-found', `There is no import ${id} in a table "${table}".`, { table })
    return c.body(null, 204)
  })
  return app
}

const filterQuery = z.object({ from: z.string().optional(), to: z.string().optional(), column: z.string().optional() })

const pageQuery = filterQuery.extend({
  // More than there may be is less than was asked for, and said so in the answer.
  limit: wholeNumber(1)
    .default(defaultPageRows)
    .transform((limit) => Math.min(limit, maxPageRows)),
  offset: wholeNumber(0).default(0),
})

const notWhole = z.never({ error: 'is for JSON; as CSV or NDJSON the answer is always whole' }).optional()
const wholeQuery = filterQuery.extend({ limit: notWhole, offset: notWhole })

function wholeNumber(least: number) {
  const pattern = z.string().regex(/^-?\d{1,15}$/, 'is not a whole number')
  return pattern.transform(Number).refine((number) => number >= least, `must be ${least} or more`)
}

/** Links to the pages before and after, relative to the server; null where there is none. `end` is where this one ends. */
function neighbours(
  c: Context<AppEnv>,
  table: StoredTable,
  { limit, offset }: { limit: number; offset: number },
  { count, end }: { count: number; end: number },
) {
  const page = (at: number) => {
    const query = new URLSearchParams({ ...c.req.query(), limit: String(limit), offset: String(at) })
    return `${tablePath(table.name, 'rows')}?${query}`
  }
  return {
    next: end > offset && end < count ? page(end) : null,
    previous: offset > 0 ? page(Math.max(0, offset - limit)) : null,
  }
}

function noTable(name: string): Problem {
  return new Problem('table-not-found', `There is no table "${name}".`, { table: name })
}

const params = z.object({ table: z.string().meta({ example: 'sales' }) })

const listRoute = createRoute({
  method: 'get',
  path: routes.tables,
  summary: 'List my tables, sorted by name',
  responses: {
    200: { description: 'All tables', content: { 'application/json': { schema: tableListSchema } } },
    ...problemResponses(401, 501),
  },
})

const oneRoute = createRoute({
  method: 'get',
  path: `${routes.tables}/{table}`,
  summary: 'One table: columns, rows and imports',
  request: { params },
  responses: {
    200: { description: 'The table', content: { 'application/json': { schema: tableSchema } } },
    ...problemResponses(401, 404, 501),
  },
})

const summaryRoute = createRoute({
  method: 'get',
  path: `${routes.tables}/{table}/summary`,
  summary: 'What is in a table: for each column nulls, distinct values, least and greatest; counts over time',
  request: { params },
  responses: {
    200: { description: 'The summary', content: { 'application/json': { schema: summarySchema } } },
    ...problemResponses(401, 404, 501),
  },
})

const rowsRoute = createRoute({
  method: 'get',
  path: `${routes.tables}/{table}/rows`,
  summary: 'Rows of a table: newest import first, and last line first within one',
  description: 'With `Accept: text/csv` or `application/x-ndjson` the whole answer is streamed, as an export job.',
  request: {
    params,
    query: z.object({
      from: z.string().optional().meta({ description: 'a date or time, inclusive', example: '2014-10-08' }),
      to: z.string().optional().meta({ description: 'exclusive' }),
      column: z.string().optional().meta({ description: 'the date column; by default the table’s own' }),
      limit: z
        .string()
        .optional()
        .meta({ description: `${defaultPageRows} by default, ${maxPageRows} at most` }),
      offset: z.string().optional(),
    }),
  },
  responses: {
    200: {
      description: 'Rows',
      content: {
        'application/json': { schema: rowsSchema },
        'text/csv': { schema: z.string() },
        'application/x-ndjson': { schema: z.string() },
      },
    },
    ...problemResponses(400, 401, 404, 409, 501),
  },
})

const removeRoute = createRoute({
  method: 'delete',
  path: `${routes.tables}/{table}`,
  summary: 'Remove a table with all its imports',
  request: { params },
  responses: { 204: { description: 'Removed' }, ...problemResponses(401, 403, 404) },
})

const removeImportRoute = createRoute({
  method: 'delete',
  path: `${routes.tables}/{table}/imports/{id}`,
  summary: 'Remove the rows that one import brought',
  request: { params: params.extend({ id: z.string().meta({ description: "the import's number" }) }) },
  responses: { 204: { description: 'Removed' }, ...problemResponses(401, 403, 404) },
})
