import { z } from 'zod'
import { exampleJob, jobSchema } from './jobs.js'
import { tableNamePattern } from './table-name.js'

export type ColumnType =
  | 'text'
  | 'integer'
  | 'double'
  | 'boolean'
  | 'date'
  | 'timestamp'
  | `decimal(${number},${number})`

/** The maximum number of rows of a page, and of a query result. */
export const maxPageRows = 1000
export const defaultPageRows = 100

/** The maximum number of files that one import takes. */
export const maxImportFiles = 1000

const tableName = z.string().regex(tableNamePattern, 'must match [a-z_][a-z0-9_]{0,62}')

/** A mark of a CSV: one ASCII character that can be printed, or a tab. */
const mark = z.string().regex(/^[\t -~]$/, 'must be one ASCII character')
const words = z.array(z.string().min(1).max(100)).max(100)

/** How a CSV is written. What is left out is detected, or the default. */
const csvFormatSchema = z.object({
  delimiter: mark.optional(),
  quote: mark.or(z.literal('')).optional().meta({ description: 'empty if values are not quoted' }),
  escape: mark.optional().meta({ description: 'before a quote within quotes; by default quotes are doubled' }),
  comment: mark.optional().meta({ description: 'lines that begin with it are left out' }),
  skipLines: z.int().min(0).max(10_000).optional().meta({ description: 'lines above the header' }),
  headerLines: z.int().min(1).max(20).optional().meta({ description: 'lines of the header, whose names are joined' }),
  renameColumns: z.boolean().optional().meta({ description: 'names columns whose name is missing or taken' }),
  decimal: z.enum([',', '.']).optional(),
  thousands: z.enum(['.', ',', ' ', "'", '_']).optional().meta({ description: 'between groups of three digits' }),
  percent: z.boolean().optional().meta({ description: '`12 %` is 0.12' }),
  currency: words.optional().meta({ description: 'marks before or after amounts' }),
  nulls: words.optional().meta({ description: 'words for missing values' }),
  booleans: z
    .array(z.string().regex(/^[^/]+\/[^/]+$/, 'must be written yes/no'))
    .max(20)
    .optional()
    .meta({ description: 'words for true and false, such as yes/no' }),
})

export const importSchema = csvFormatSchema
  .extend({
    filename: z.string().optional(),
    filenames: z
      .array(z.string())
      .min(1)
      .max(maxImportFiles)
      .optional()
      .meta({ description: 'instead of `filename`: files that are imported one after the other, all or none' }),
    table: tableName.optional().meta({ description: "by default from a single file's name" }),
    replace: z.boolean().optional().meta({ description: 'the rows replace those of the table, in one step' }),
    once: z.boolean().optional().meta({ description: 'refuse a file whose bytes were imported into the table before' }),
    dateColumn: z.string().optional(),
    dateFormat: z
      .string()
      .optional()
      .meta({ description: 'iso, month-first, day-first, or a pattern like %d.%m.%Y; by default ISO or month first' }),
    dateFormats: z
      .record(z.string(), z.string())
      .optional()
      .meta({ description: 'column → format of its dates or times, as `dateFormat`' }),
    types: z
      .record(z.string(), z.string())
      .optional()
      .meta({ description: 'column → text, integer, double, decimal(WIDTH,SCALE), boolean, date or timestamp' }),
    allText: z.boolean().optional(),
    header: z
      .boolean()
      .optional()
      .meta({ description: 'whether the first line names the columns; recognised if left out' }),
    skipBadLines: z.boolean().optional(),
    encoding: z
      .string()
      .optional()
      .meta({ description: 'of the text, such as windows-1252; by default UTF-8, or UTF-16 where that is evident' }),
    trim: z.boolean().optional().meta({ description: 'drop spaces around text' }),
  })
  .meta({ id: 'Import', example: { filename: 'sales.csv', table: 'sales', dateColumn: 'Order Date' } })
export type ImportBody = z.infer<typeof importSchema>

const exampleColumns = [
  { name: 'Region', type: 'text' },
  { name: 'Order Date', type: 'date' },
  { name: 'Units Sold', type: 'integer' },
]

export const columnSchema = z
  .object({ name: z.string(), type: z.string().meta({ example: 'integer' }) })
  .meta({ id: 'Column', example: exampleColumns[0] })
export type Column = z.infer<typeof columnSchema>

export const badLineSchema = z
  .object({ line: z.int(), column: z.string().nullable(), reason: z.string() })
  .meta({ id: 'BadLine', example: { line: 17, column: 'Units Sold', reason: '"many" is no integer' } })
export type BadLine = z.infer<typeof badLineSchema>

const exampleImport = {
  id: 4,
  file: 'sales.csv',
  sha256: '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08',
  rows: 100_000,
  columns: exampleColumns,
  dateColumn: 'Order Date',
  skipped: { count: 0, first: [] },
  notes: [],
  importedAt: '2026-11-20T09:31:07.000Z',
}

export const tableImportSchema = z
  .object({
    id: z.int(),
    file: z.string(),
    sha256: z.string().nullable(),
    rows: z.int(),
    columns: z.array(columnSchema),
    dateColumn: z.string().nullable(),
    skipped: z.object({ count: z.int(), first: z.array(badLineSchema) }),
    notes: z.array(z.string()).meta({ description: 'what was guessed and may be wrong, in words' }),
    importedAt: z.iso.datetime(),
  })
  .meta({ id: 'TableImport', example: exampleImport })
export type TableImport = z.infer<typeof tableImportSchema>

/** The response to an import: its job, and its result if the request waited for the end. */
const importsMeta = { description: 'of each file, in the order of the request' }
export const importAnswerSchema = jobSchema
  .extend({ import: tableImportSchema.nullable(), imports: z.array(tableImportSchema).nullable().meta(importsMeta) })
  .meta({
    id: 'ImportAnswer',
    example: {
      ...exampleJob,
      kind: 'import',
      file: 'sales.csv',
      table: 'sales',
      state: 'done',
      bytes: 12_479_012,
      totalBytes: 12_479_012,
      percent: 100,
      rows: 100_000,
      rate: null,
      endedAt: '2026-11-20T09:31:08.000Z',
      import: exampleImport,
      imports: [exampleImport],
    },
  })
export type ImportAnswer = z.infer<typeof importAnswerSchema>

const exampleTable = {
  name: 'sales',
  rows: 100_000,
  columns: exampleColumns,
  dateColumn: 'Order Date',
  imports: [exampleImport],
}

export const tableSchema = z
  .object({
    name: z.string(),
    rows: z.int(),
    columns: z.array(columnSchema),
    dateColumn: z.string().nullable(),
    imports: z.array(tableImportSchema).meta({ description: 'newest first' }),
  })
  .meta({ id: 'Table', example: exampleTable })
export type TableRecord = z.infer<typeof tableSchema>

/** A change of a table: its name, or that of a column. */
export const tableChangeSchema = z
  .object({
    name: tableName.optional(),
    renameColumn: z
      .object({
        from: z.string(),
        to: z
          .string()
          .max(1000)
          .refine((name) => name.trim() !== '' && name === name.trim(), 'is empty, or has spaces around it'),
      })
      .optional(),
  })
  .refine(({ name, renameColumn }) => (name === undefined) !== (renameColumn === undefined), {
    error: 'holds either name or renameColumn',
  })
  .meta({ id: 'TableChange', example: { name: 'orders' } })
export type TableChange = z.infer<typeof tableChangeSchema>

export const tableListSchema = z
  .object({ tables: z.array(tableSchema) })
  .meta({ id: 'TableList', example: { tables: [exampleTable] } })
export type TableList = z.infer<typeof tableListSchema>

/** A row: integers beyond 2^53 and decimals are strings, dates and times are ISO 8601. */
export const rowSchema = z.record(z.string(), z.unknown())

export const rowsSchema = z
  .object({
    count: z.int().meta({ description: 'all rows that match' }),
    next: z.string().nullable(),
    previous: z.string().nullable(),
    limit: z.int().meta({ description: `${maxPageRows} at most` }),
    columns: z.array(columnSchema),
    results: z.array(rowSchema),
  })
  .meta({
    id: 'Rows',
    example: {
      count: 100_000,
      next: '/tables/sales/rows?limit=1&offset=1',
      previous: null,
      limit: 1,
      columns: exampleColumns,
      results: [{ Region: 'Europe', 'Order Date': '2014-10-08', 'Units Sold': 934 }],
    },
  })
export type Rows = z.infer<typeof rowsSchema>

export const summarySchema = z
  .object({
    rows: z.int(),
    columns: z.array(
      z.object({
        name: z.string(),
        type: z.string(),
        nulls: z.int(),
        distinct: z.int().meta({ description: 'approximate beyond 200,000 rows' }),
        min: z.unknown(),
        max: z.unknown(),
      }),
    ),
    overTime: z
      .object({
        column: z.string(),
        unit: z.enum(['day', 'week', 'month', 'year']),
        counts: z.array(z.object({ from: z.string(), rows: z.int() })),
      })
      .nullable(),
  })
  .meta({
    id: 'TableSummary',
    example: {
      rows: 100_000,
      columns: [
        { name: 'Region', type: 'text', nulls: 0, distinct: 7, min: 'Asia', max: 'Sub-Saharan Africa' },
        { name: 'Order Date', type: 'date', nulls: 0, distinct: 2766, min: '2010-01-01', max: '2017-07-28' },
      ],
      overTime: { column: 'Order Date', unit: 'year', counts: [{ from: '2010-01-01', rows: 13_204 }] },
    },
  })
export type TableSummary = z.infer<typeof summarySchema>

export const querySchema = z
  .object({
    sql: z.string().min(1, 'is empty; write one SELECT').max(60_000, 'is longer than 60,000 characters'),
    limit: z.int().min(1).optional(),
  })
  .meta({ id: 'Query', example: { sql: 'select Region, sum("Units Sold") from sales group by Region' } })

export const queryAnswerSchema = z
  .object({
    columns: z.array(columnSchema),
    results: z.array(rowSchema),
    truncated: z.boolean().meta({ description: `more than ${maxPageRows} rows, or than 8 MiB` }),
  })
  .meta({
    id: 'QueryAnswer',
    example: {
      columns: [
        { name: 'Region', type: 'text' },
        { name: 'units', type: 'integer' },
      ],
      results: [{ Region: 'Europe', units: '129471523' }],
      truncated: false,
    },
  })
export type QueryAnswer = z.infer<typeof queryAnswerSchema>
