import { z } from 'zod'

const examplePublisher = { username: 'depot', name: 'Depot North' }

/** An account whose files clients read. */
const publisherSchema = z
  .object({ username: z.string(), name: z.string().nullable() })
  .meta({ id: 'Publisher', example: examplePublisher })

export const publisherListSchema = z
  .object({ publishers: z.array(publisherSchema).meta({ description: 'sorted by username' }) })
  .meta({ id: 'PublisherList', example: { publishers: [examplePublisher] } })
export type PublisherList = z.infer<typeof publisherListSchema>
