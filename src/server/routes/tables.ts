import { OpenAPIHono, z } from '@hono/zod-openapi'
import type { Context } from 'hono'
import { defaultFacetValues, maxFacetValues } from '../../protocol/facets.js'
import { Problem } from '../../protocol/problems.js'
import { routes, tablePath } from '../../protocol/routes.js'
import { defaultPageRows, maxPageRows, tableChangeSchema } from '../../protocol/tables.js'
import { leftSignal } from '../http/connection.js'
import { tableOperations } from '../openapi/table-operations.js'
import type { AppEnv } from '../routing/app-env.js'
import { addVary } from '../routing/vary.js'
import type { Space } from '../stores/files.js'
import { checkPrecondition, type Validators } from '../stores/precondition.js'
import type { StoredTable, TableStore } from '../stores/tables.js'
import { renameColumn } from '../tables/rename-column.js'
import type { TableExports } from '../tables/table-exports.js'
import type { TableFacets } from '../tables/table-facets.js'
import type { TableRows } from '../tables/table-rows.js'
import type { TableSummaries } from '../tables/table-summaries.js'
import { requireEngine } from '../tables/unavailable.js'
import { readJson, validate } from './bodies/json-body.js'
import { isNotModified, preconditionOf } from './headers/conditions.js'
import { resultFormats, sendTable, wantedFormat } from './responses/send-table.js'
import { tableRecord, tableValidators } from './responses/table-answers.js'
import { validatorHeaders } from './responses/validators.js'

export interface TableServices {
  tables: TableStore
  tableRows: TableRows
  tableFacets: TableFacets
  tableSummaries: TableSummaries
  tableExports: TableExports
}

/** `/tables`: imported tables and their rows. */
export function tableRoutes({ tables, tableRows, tableFacets, tableSummaries, tableExports }: TableServices) {
  const app = new OpenAPIHono<AppEnv>()

  const find = async (space: Space, name: string): Promise<StoredTable> => {
    requireEngine()
    const table = await tables.find(space, name)
    if (!table) throw noTable(name)
    return table
  }

  app.openapi(tableOperations.list, async (c) => {
    requireEngine()
    const found = await tables.list(c.get('identity').account)
    return c.json({ tables: found.map(tableRecord) }, 200)
  })

  app.openapi(tableOperations.one, async (c) => {
    const table = await find(c.get('identity').account, c.req.valid('param').table)
    return answerAbout(c, tableValidators(table), () => tableRecord(table))
  })

  app.openapi(tableOperations.summary, async (c) => {
    const table = await find(c.get('identity').account, c.req.valid('param').table)
    const validators = tableValidators(table, 'summary')
    return answerAbout(c, validators, () => tableSummaries.summarise(table, leftSignal(c.env.outgoing)))
  })

  app.openAPIRegistry.registerPath(tableOperations.facets)
  app.get(`${routes.tables}/:table/facets`, async (c) => {
    const table = await find(c.get('identity').account, c.req.param('table'))
    const query = validate(queryOf(c), facetsQuery)
    const validators = tableValidators(table, ['facets', queryOf(c)])
    return answerAbout(c, validators, () => tableFacets.count(table, query, leftSignal(c.env.outgoing)))
  })

  app.openAPIRegistry.registerPath(tableOperations.rows)
  app.get(`${routes.tables}/:table/rows`, async (c) => {
    const table = await find(c.get('identity').account, c.req.param('table'))
    const { format: linked } = validate(queryOf(c), formatQuery)
    const format = linked ?? wantedFormat(c.req.header('accept'))
    addVary(c, 'Accept')
    if (format) {
      const filter = validate(queryOf(c), wholeQuery)
      const waitMs = linked ? linkWaitMs : 0
      return sendTable({ env: c.env, identity: c.get('identity'), tableExports, table, filter, format, waitMs })
    }
    const query = validate(queryOf(c), pageQuery)
    return answerAbout(c, tableValidators(table, queryOf(c)), async () => {
      const { count, columns, rows } = await tableRows.page(table, query, leftSignal(c.env.outgoing))
      const results = rows.map((row) => Object.fromEntries(row.map((value, at) => [columns[at]!.name, value])))
      const end = query.offset + rows.length
      return { count, ...neighbours(c, table, query, { count, end }), limit: query.limit, columns, results }
    })
  })

  app.openAPIRegistry.registerPath(tableOperations.change)
  app.patch(`${routes.tables}/:table`, async (c) => {
    const { table } = c.req.param()
    const { account } = c.get('identity')
    const { name = table, renameColumn: column } = await readJson(c.env.incoming, tableChangeSchema)
    const check = (there: StoredTable) =>
      checkPrecondition({ name: table, ...tableValidators(there) }, preconditionOf(c.env.incoming))
    const edit = (there: StoredTable) => {
      check(there)
      return renameColumn(there, column!.from, column!.to)
    }
    const isChanged = column
      ? await tables.edit(account, table, edit)
      : await tables.rename(account, table, name, check)
    if (!isChanged) throw noTable(table)
    const changed = await find(account, name)
    return c.json(tableRecord(changed), 200, validatorHeaders(tableValidators(changed)))
  })

  app.openapi(tableOperations.remove, async (c) => {
    const name = c.req.valid('param').table
    const check = (table: StoredTable) =>
      checkPrecondition({ name, ...tableValidators(table) }, preconditionOf(c.env.incoming))
    if (!(await tables.remove(c.get('identity').account, name, check))) throw noTable(name)
    return c.body(null, 204)
  })

  app.openAPIRegistry.registerPath(tableOperations.removeImport)
  app.delete(`${routes.tables}/:table/imports/:id`, async (c) => {
    const { table, id } = c.req.param()
    const { account } = c.get('identity')
    // An import never changes: checking it before its removal is sufficient.
    const found = (await tables.find(account, table))?.imports.find((each) => String(each.id) === id)
    const validators = found && { name: id, entityTag: `"${id}"`, lastModified: Date.parse(found.importedAt) }
    if (found) checkPrecondition(validators, preconditionOf(c.env.incoming))
    const removed = /^\d{1,15}$/.test(id) && (await tables.removeImport(account, table, Number(id)))
    if (!removed) throw new Problem('table-not-found', `There is no import ${id} in a table "${table}".`, { table })
    return c.body(null, 204)
  })
  return app
}

/** The JSON of `make`, or 304. Throws `precondition-failed`. */
async function answerAbout<T extends object>(
  c: Context<AppEnv>,
  validators: Required<Validators>,
  make: () => T | Promise<T>,
) {
  const headers = validatorHeaders(validators)
  if (isNotModified(c.env.incoming, validators)) return c.body(null, 304, headers) as never
  return c.json(await make(), 200, headers)
}

/** Only `where` may be there several times. */
function queryOf(c: Context<AppEnv>): Record<string, string | string[]> {
  const where = c.req.queries('where')
  return { ...c.req.query(), ...(where ? { where } : {}) }
}

const filterQuery = z.object({
  from: z.string().optional(),
  to: z.string().optional(),
  column: z.string().optional(),
  where: z.array(z.string()).max(100).optional(),
  columns: z.string().optional(),
  sort: z.string().optional(),
})

const facetsQuery = filterQuery.omit({ sort: true }).extend({
  limit: wholeNumber(1)
    .default(defaultFacetValues)
    .transform((limit) => Math.min(limit, maxFacetValues)),
})

const formatQuery = z.object({ format: z.enum(resultFormats).optional() })

/** A person who clicks on a link cannot be told to come again. */
const linkWaitMs = 30_000

const pageQuery = filterQuery.extend({
  // A limit above the maximum is reduced, and the response shows that.
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

/** Links to the previous and next page, relative to the server; null without one. `end` is the end of this page. */
function neighbours(
  c: Context<AppEnv>,
  table: StoredTable,
  { limit, offset }: { limit: number; offset: number },
  { count, end }: { count: number; end: number },
) {
  const page = (at: number) => {
    const query = new URLSearchParams({ ...c.req.query(), limit: String(limit), offset: String(at) })
    query.delete('where')
    for (const condition of c.req.queries('where') ?? []) query.append('where', condition)
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
