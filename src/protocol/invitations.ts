import { z } from 'zod'
import { accountSchema, newAccountSchema, newPassword } from './accounts.js'

/** How long an invitation can be accepted, in seconds: 7 days by default, 30 at most. */
export const invitationSeconds = { default: 7 * 86_400, max: 30 * 86_400 }

export const newInvitationSchema = z
  .object({
    expiresIn: z
      .int()
      .min(1, 'an invitation lasts for a second at least')
      .max(invitationSeconds.max, `an invitation lasts for 30 days at most, which are ${invitationSeconds.max} seconds`)
      .optional()
      .meta({ description: 'seconds, 30 days at most; default 7 days' }),
  })
  .meta({ id: 'NewInvitation', example: { expiresIn: 604_800 } })

const exampleInvitation = {
  account: 'user:ann',
  url: 'https://files.example.org/invitations/7-mXy2c7Gd0Q4sVb1P3l5Zr0tYh8kN2eWq',
  expiresAt: '2026-11-27T09:30:00.000Z',
}

export const invitationSchema = z
  .object({
    account: z.string(),
    url: z.string().meta({ description: 'sets the password, once, without a login' }),
    expiresAt: z.iso.datetime(),
  })
  .meta({ id: 'Invitation', example: exampleInvitation })
export type InvitationRecord = z.infer<typeof invitationSchema>

/** An account with a password, or with an invitation to set it. */
export const accountToCreateSchema = newAccountSchema
  .extend({ password: newPassword.optional(), invitation: newInvitationSchema.optional() })
  .refine(({ password, invitation }) => (password === undefined) !== (invitation === undefined), {
    path: ['password'],
    message: 'is missing; give it, or an invitation, and not both',
  })
  .meta({ id: 'AccountToCreate', example: { username: 'ann', password: 'correct horse', role: 'ops' } })

export const createdAccountSchema = accountSchema
  .extend({ invitation: invitationSchema.nullable().meta({ description: 'null for an account with a password' }) })
  .meta({
    id: 'CreatedAccount',
    example: { ...(accountSchema.meta()?.example as object), invitation: exampleInvitation },
  })
export type CreatedAccountRecord = z.infer<typeof createdAccountSchema>

/** An invitation, as its link shows it. */
export const openInvitationSchema = z
  .object({ account: z.string(), expiresAt: z.iso.datetime() })
  .meta({ id: 'OpenInvitation', example: { account: 'user:ann', expiresAt: exampleInvitation.expiresAt } })

export const acceptInvitationSchema = z
  .object({ password: newPassword })
  .meta({ id: 'AcceptInvitation', example: { password: 'correct horse' } })
