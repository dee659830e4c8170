import { z } from 'zod'
import { roleSchema } from './accounts.js'

export const featuresSchema = z
  .object({
    signupRoles: z.array(roleSchema).meta({ description: 'the roles that can sign up; empty if signup is closed' }),
    tables: z.boolean().meta({ description: 'whether the engine of tables is installed' }),
    queries: z.boolean().meta({ description: 'whether SQL is allowed' }),
  })
  .meta({ id: 'Features', example: { signupRoles: ['user', 'ops'], tables: true, queries: true } })
export type Features = z.infer<typeof featuresSchema>
