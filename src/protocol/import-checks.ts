import { z } from 'zod'
import { badLineSchema, columnSchema, importSchema } from './tables.js'

export const importCheckBodySchema = importSchema
  .omit({ filename: true, filenames: true, replace: true, once: true, skipBadLines: true })
  .extend({ filename: z.string() })
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
    notes: z.array(z.string()).meta({ description: 'what was guessed and may be wrong, in words' }),
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
    },
  })
export type ImportCheck = z.infer<typeof importCheckSchema>
