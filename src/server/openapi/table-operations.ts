import { createRoute, z } from '@hono/zod-openapi'
import { defaultFacetValues, facetsSchema, maxFacetColumns, maxFacetValues } from '../../protocol/facets.js'
import { jobHeader, routes } from '../../protocol/routes.js'
import {
  defaultPageRows,
  maxPageRows,
  rowsSchema,
  summarySchema,
  tableChangeSchema,
  tableListSchema,
  tableSchema,
} from '../../protocol/tables.js'
import { answerHeaders } from './answer-headers.js'
import { problemResponses } from './answers.js'
import { changeHeaders } from './request-headers.js'

const params = z.object({ table: z.string().meta({ description: 'the name of the table', example: 'sales' }) })

const headers = answerHeaders('ETag', 'Last-Modified')

const list = createRoute({
  method: 'get',
  path: routes.tables,
  summary: 'List my tables, sorted by name',
  responses: {
    200: { description: 'All tables', content: { 'application/json': { schema: tableListSchema } } },
    ...problemResponses(401, 501),
  },
})

const one = createRoute({
  method: 'get',
  path: `${routes.tables}/{table}`,
  summary: 'One table: columns, rows and imports',
  request: { params },
  responses: {
    200: { description: 'The table', headers, content: { 'application/json': { schema: tableSchema } } },
    304: { description: 'Not modified', headers },
    ...problemResponses(401, 404, 501),
  },
})

const summary = createRoute({
  method: 'get',
  path: `${routes.tables}/{table}/summary`,
  summary: 'What is in a table: for each column nulls, distinct values, least and greatest; counts over time',
  request: { params },
  responses: {
    200: { description: 'The summary', headers, content: { 'application/json': { schema: summarySchema } } },
    304: { description: 'Not modified', headers },
    ...problemResponses(401, 404, 412, 501),
  },
})

/** Which rows are meant. */
const filter = {
  from: z.string().optional().meta({ description: 'a date or time, inclusive', example: '2014-10-08' }),
  to: z.string().optional().meta({ description: 'exclusive' }),
  column: z.string().optional().meta({ description: 'the date column; by default the table’s own' }),
  where: z
    .array(z.string())
    .optional()
    .meta({
      description: 'conditions, all of which must hold: = != < <= > >= and ~ (contains)',
      example: ['Region=Europe'],
    }),
}

const facets = createRoute({
  method: 'get',
  path: `${routes.tables}/{table}/facets`,
  summary: 'What the columns of matching rows hold: missing, distinct, least, greatest and most frequent values',
  request: {
    params,
    query: z.object({
      ...filter,
      columns: z
        .string()
        .optional()
        .meta({ description: `names, separated by commas, at most ${maxFacetColumns}; by default the first ones` }),
      limit: z
        .int()
        .min(1)
        .max(maxFacetValues)
        .default(defaultFacetValues)
        .meta({ description: 'how many values each column lists' }),
    }),
  },
  responses: {
    200: { description: 'The values', headers, content: { 'application/json': { schema: facetsSchema } } },
    304: { description: 'Not modified', headers },
    ...problemResponses(400, 401, 404, 412, 422, 501),
  },
})

const rows = createRoute({
  method: 'get',
  path: `${routes.tables}/{table}/rows`,
  summary: 'Rows of a table, in the order of the files: oldest import first',
  description:
    'With `Accept: text/csv`, `application/x-ndjson` or `application/vnd.apache.parquet` the whole answer is streamed, as an export job.',
  request: {
    params,
    query: z.object({
      ...filter,
      columns: z.string().optional().meta({ description: 'names, separated by commas; by default all' }),
      sort: z
        .string()
        .optional()
        .meta({ description: 'names, separated by commas; `-` before one for the greatest first' }),
      limit: z.int().min(1).max(maxPageRows).default(defaultPageRows).meta({ description: 'how many rows a page has' }),
      format: z
        .enum(['csv', 'ndjson', 'parquet'])
        .optional()
        .meta({ description: 'like an `Accept` of that format, for links in browsers' }),
      offset: z.int().min(0).default(0).meta({ description: 'how many rows to leave out' }),
    }),
  },
  responses: {
    200: {
      description: 'Rows',
      headers: { ...headers, ...answerHeaders('Content-Disposition', jobHeader) },
      content: {
        'application/json': { schema: rowsSchema },
        'text/csv': { schema: z.string() },
        'application/x-ndjson': { schema: z.string() },
        'application/vnd.apache.parquet': { schema: z.string() },
      },
    },
    304: { description: 'Not modified', headers },
    ...problemResponses(400, 401, 404, 409, 412, 501),
  },
})

const change = createRoute({
  method: 'patch',
  path: `${routes.tables}/{table}`,
  summary: 'Rename a table, or one of its columns',
  request: {
    params,
    headers: changeHeaders,
    body: { content: { 'application/json': { schema: tableChangeSchema } } },
  },
  responses: {
    200: { description: 'The table', headers, content: { 'application/json': { schema: tableSchema } } },
    ...problemResponses(400, 401, 403, 404, 409, 412, 415),
  },
})

const remove = createRoute({
  method: 'delete',
  path: `${routes.tables}/{table}`,
  summary: 'Remove a table with all its imports',
  request: { params, headers: changeHeaders },
  responses: { 204: { description: 'Removed' }, ...problemResponses(400, 401, 403, 404, 412) },
})

const removeImport = createRoute({
  method: 'delete',
  path: `${routes.tables}/{table}/imports/{id}`,
  summary: 'Remove the rows that one import brought',
  request: {
    params: params.extend({ id: z.int().min(1).meta({ description: "the import's number" }) }),
    headers: changeHeaders,
  },
  responses: { 204: { description: 'Removed' }, ...problemResponses(400, 401, 403, 404, 412) },
})

/** The operations of `/tables` as the API document describes them. */
export const tableOperations = { list, one, summary, facets, rows, change, remove, removeImport }
