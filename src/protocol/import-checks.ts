import { z } from 'zod'
import { badLineSchema, columnSchema, importSchema } from './tables.js'

export const importCheckBodySchema = importSchema
  .omit({ filename: true, filenames: true, once: true, skipBadLines: true })
  .extend({
    filename: z.string(),
    preview: z.boolean().optional().meta({ description: 'adds the first rows to the answer, and how they are read' }),
  })
  .meta({ id: 'ImportCheckBody', example: { filename: 'sales.csv', dateFormat: 'day-first' } })
export type ImportCheckBody = z.infer<typeof importCheckBodySchema>

const faultSchema = badLineSchema
  .extend({
    offset: z.int().optional().meta({ description: "of the line's first byte, in the text of the file" }),
    text: z.string().optional().meta({ description: 'the start of the line' }),
  })
  .meta({
    id: 'Fault',
    example: { line: 17, column: 'Units Sold', reason: '"many" is no integer', offset: 812, text: 'Asia,many' },
  })
export type Fault = z.infer<typeof faultSchema>

/** Options that would read a file which was refused. */
const advisedOptionsSchema = importSchema
  .pick({
    encoding: true,
    skipLines: true,
    comment: true,
    escape: true,
    quote: true,
    delimiter: true,
    renameColumns: true,
  })
  .meta({ id: 'AdvisedOptions', example: { skipLines: 2 } })

/** Options that would decide otherwise than an import has guessed. */
const noteFixSchema = importSchema
  .pick({
    delimiter: true,
    header: true,
    types: true,
    dateFormats: true,
    decimal: true,
    thousands: true,
    percent: true,
    currency: true,
    nulls: true,
    booleans: true,
  })
  .meta({ id: 'NoteFix', example: { types: { code: 'text' } } })
export type NoteFix = z.infer<typeof noteFixSchema>

const previewSchema = z
  .object({
    format: z.enum(['csv', 'json']),
    encoding: z.string().nullable().meta({ description: 'of the text' }),
    delimiter: z.string().nullable().meta({ description: 'null for JSON' }),
    quote: z.string().nullable().meta({ description: 'empty if values are not quoted; null for JSON' }),
    header: z.boolean().meta({ description: 'whether the first line names the columns' }),
    dateColumn: z.string().nullable(),
    dateFormats: z
      .array(z.string().nullable())
      .meta({ description: 'of each column, such as `%m/%d/%Y`; null where it has no dates' }),
    rows: z.array(z.object({ line: z.int(), values: z.array(z.string()) })).meta({
      description: 'the first 30, as they are written, also those with faults; a value has 200 characters at most',
    }),
  })
  .meta({
    id: 'ImportPreview',
    example: {
      format: 'csv',
      encoding: 'utf-8',
      delimiter: ',',
      quote: '"',
      header: true,
      dateColumn: null,
      dateFormats: [null, null],
      rows: [{ line: 2, values: ['Asia', '12'] }],
    },
  })
export type ImportPreview = z.infer<typeof previewSchema>

/** What an import of a file would do. */
export const importCheckSchema = z
  .object({
    file: z.string(),
    rows: z.int().meta({ description: 'that can be read' }),
    columns: z.array(columnSchema),
    faults: z.object({
      count: z.int(),
      first: z.array(faultSchema).meta({ description: '1,000 at most' }),
    }),
    advice: z
      .string()
      .nullable()
      .meta({ description: 'on the first fault: the option that would read the file, if one would' }),
    fix: advisedOptionsSchema
      .optional()
      .meta({ description: 'options that would read the file, as `advice` or a note names them' }),
    preview: previewSchema
      .optional()
      .meta({ description: 'only if requested; not of Parquet, nor of a file that cannot be read at all' }),
    notes: z.array(z.string()).meta({ description: 'what was guessed and may be wrong, in words' }),
    noteFixes: z
      .array(noteFixSchema.nullable())
      .meta({ description: 'for each note the options that would decide otherwise; null if there are none' }),
  })
  .meta({
    id: 'ImportCheck',
    example: {
      file: 'sales.csv',
      rows: 99_999,
      columns: [
        { name: 'Region', type: 'text' },
        { name: 'Units Sold', type: 'integer' },
      ],
      faults: {
        count: 1,
        first: [
          { line: 17, column: 'Units Sold', reason: '"many" is no integer', offset: 812, text: 'Asia,2014-10-08,many' },
        ],
      },
      advice: '"--types" (types) gives the column another type, such as text.',
      notes: [],
      noteFixes: [],
    },
  })
export type ImportCheck = z.infer<typeof importCheckSchema>
