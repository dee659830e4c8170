import { z } from 'zod'

/** The maximum number of columns whose values one request counts. */
export const maxFacetColumns = 100

/** The maximum number of values of a column, and the default. */
export const maxFacetValues = 100
export const defaultFacetValues = 10

/** Columns with more distinct values have no list of values. */
export const maxDistinctValues = 1000

/** Longer texts are not among the values, and are cut where they are the least or the greatest. */
export const maxFacetText = 200

const columnFacetSchema = z.object({
  name: z.string(),
  type: z.string(),
  missing: z.int().meta({ description: 'rows without a value; empty texts count as missing' }),
  distinct: z.int().meta({ description: 'approximate for large tables' }),
  min: z.unknown(),
  max: z.unknown(),
  values: z
    .array(z.object({ value: z.unknown(), rows: z.int() }))
    .nullable()
    .meta({
      description: `the most frequent values, except for texts of more than ${maxFacetText} characters; null if there are more than ${maxDistinctValues} values`,
    }),
})
export type ColumnFacet = z.infer<typeof columnFacetSchema>

export const facetsSchema = z
  .object({ rows: z.int().meta({ description: 'all rows that match' }), columns: z.array(columnFacetSchema) })
  .meta({
    id: 'Facets',
    example: {
      rows: 100_000,
      columns: [
        {
          name: 'Region',
          type: 'text',
          missing: 0,
          distinct: 7,
          min: 'Asia',
          max: 'Sub-Saharan Africa',
          values: [
            { value: 'Sub-Saharan Africa', rows: 26_019 },
            { value: 'Europe', rows: 25_877 },
          ],
        },
      ],
    },
  })
export type Facets = z.infer<typeof facetsSchema>
