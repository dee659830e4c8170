import { z } from 'zod'
import { passwordBytes } from './password-bytes.js'
import { roles } from './roles.js'

/** Letters, digits and `._@+-`, starting with a letter or digit, at most 64 characters. */
export const usernamePattern = /^[A-Za-z0-9][A-Za-z0-9._@+-]{0,63}$/

export const roleSchema = z.enum(roles)
const username = z
  .string()
  .regex(usernamePattern, 'must begin with a letter or digit and hold only letters, digits and ._@+- (64 at most)')

/** An account's own quota. */
export const quotaSchema = z
  .union([z.int().min(1), z.literal('none')], 'must be a number of bytes above 0, "none", or null')
  .nullable()
  .meta({
    description: 'bytes for its files and tables; `none`: no limit; null: the `--quota` of the server holds',
    example: 5_368_709_120,
  })
export type AccountQuota = z.infer<typeof quotaSchema>

/** 8 to 72 bytes. */
export const newPassword = z
  .string()
  .refine((text) => fitsPassword(text), `must have ${passwordBytes.min} to ${passwordBytes.max} bytes`)

export const signupSchema = z
  .object({
    username: username.optional(),
    email: z.string().max(254).optional(),
    password: newPassword,
    role: roleSchema.optional(),
    name: z.string().max(200).optional(),
  })
  .meta({ id: 'Signup', example: { username: 'ann', password: 'correct horse' } })

export const loginSchema = z
  .object({
    username: z.string().optional(),
    email: z.string().optional(),
    password: z.string(),
    role: roleSchema.optional(),
  })
  .meta({ id: 'Login', example: { username: 'ann', password: 'correct horse' } })

/** A login or signup by the dashboard. */
export const cookieLoginSchema = loginSchema
  .extend({ signup: z.boolean().optional(), name: z.string().max(200).optional() })
  .meta({ id: 'CookieLogin', example: { username: 'ann', password: 'correct horse', signup: true } })

const exampleToken = 'eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9…'

export const loggedInSchema = z
  .object({
    message: z.string(),
    username: z.string(),
    role: roleSchema,
    token: z.string(),
    expiresAt: z.iso.datetime(),
  })
  .meta({
    id: 'LoggedIn',
    example: {
      message: 'Logged in as user:ann.',
      username: 'ann',
      role: 'user',
      token: exampleToken,
      expiresAt: '2027-11-20T09:30:00.000Z',
    },
  })
export type LoggedIn = z.infer<typeof loggedInSchema>

/** The token was stored in a cookie that scripts cannot read. */
export const cookieLoggedInSchema = loggedInSchema.omit({ token: true }).meta({
  id: 'CookieLoggedIn',
  example: {
    message: 'Logged in as user:ann.',
    username: 'ann',
    role: 'user',
    expiresAt: '2027-11-20T09:30:00.000Z',
  },
})
export type CookieLoggedIn = z.infer<typeof cookieLoggedInSchema>

const pairFields = {
  access: z.string().meta({ description: 'a token for half an hour' }),
  accessExpiresAt: z.iso.datetime(),
  refresh: z.string().meta({ description: 'fetches the next two tokens, once; opens nothing else' }),
  refreshExpiresAt: z.iso.datetime().meta({ description: 'the end of the session' }),
}
const examplePair = {
  access: exampleToken,
  accessExpiresAt: '2026-11-20T10:00:00.000Z',
  refresh: exampleToken,
  refreshExpiresAt: '2026-11-21T09:30:00.000Z',
}

/** The response to a login with two tokens. */
export const tokenPairSchema = z
  .object({
    message: z.string(),
    username: z.string(),
    role: roleSchema,
    ...pairFields,
  })
  .meta({
    id: 'TokenPair',
    example: {
      message: 'Logged in as user:ann.',
      username: 'ann',
      role: 'user',
      ...examplePair,
    },
  })
export type TokenPairRecord = z.infer<typeof tokenPairSchema>

export const refreshSchema = z
  .object({ refresh: z.string() })
  .meta({ id: 'Refresh', example: { refresh: exampleToken } })

export const rotatedTokensSchema = z.object(pairFields).meta({ id: 'RotatedTokens', example: examplePair })
export type RotatedTokensRecord = z.infer<typeof rotatedTokensSchema>

const exampleAccount = {
  id: 7,
  account: 'user:ann',
  username: 'ann',
  role: 'user',
  name: 'Ann Lee',
  email: null,
  disabled: false,
  quota: 5_368_709_120,
  createdAt: '2026-11-20T09:30:00.000Z',
}

export const accountSchema = z
  .object({
    id: z.int(),
    account: z.string().meta({ example: 'user:ann' }),
    username: z.string(),
    role: roleSchema,
    name: z.string().nullable(),
    email: z.string().nullable(),
    disabled: z.boolean(),
    quota: quotaSchema,
    createdAt: z.iso.datetime(),
  })
  .meta({ id: 'Account', example: exampleAccount })
export type AccountRecord = z.infer<typeof accountSchema>

const exampleRoom = { used: 1_073_741_824, reserved: 0, quota: 5_368_709_120, free: 4_294_967_296 }

export const roomSchema = z
  .object({
    used: z.int().meta({ description: 'bytes of all files and tables' }),
    reserved: z.int().meta({ description: 'bytes for what is under way; 0 without a quota' }),
    quota: z.int().nullable().meta({ description: 'the quota in force, in bytes; null: none' }),
    free: z.int().nullable().meta({ description: 'bytes that can still be stored; null: without limit' }),
  })
  .meta({ id: 'Room', example: exampleRoom })
export type Room = z.infer<typeof roomSchema>

/** The account of the request. */
export const ownAccountSchema = accountSchema
  .extend({ space: roomSchema.nullable().meta({ description: 'null while the storage does not answer' }) })
  .meta({ id: 'OwnAccount', example: { ...exampleAccount, space: exampleRoom } })
export type OwnAccountRecord = z.infer<typeof ownAccountSchema>

/** Who is signed in by the cookie of a page. */
export const pageAccountSchema = z
  .object({ account: ownAccountSchema.nullable().meta({ description: 'null without one' }) })
  .meta({ id: 'PageAccount', example: { account: null } })
export type PageAccountRecord = z.infer<typeof pageAccountSchema>

const exampleSession = {
  id: '5f0f9c1e-6f7b-4a53-9d5b-0c7f4f0e2a11',
  createdAt: '2026-11-20T09:30:00.000Z',
  lastUsedAt: '2026-11-20T10:02:41.000Z',
  expiresAt: '2027-11-20T09:30:00.000Z',
  client: 'filejobs/0.1.0 (linux)',
  current: true,
}

export const sessionSchema = z
  .object({
    id: z.string(),
    createdAt: z.iso.datetime(),
    lastUsedAt: z.iso.datetime(),
    expiresAt: z.iso.datetime(),
    client: z.string().meta({ description: 'the User-Agent that logged in' }),
    current: z.boolean(),
  })
  .meta({ id: 'Session', example: exampleSession })
export type SessionRecord = z.infer<typeof sessionSchema>

export const sessionListSchema = z
  .object({ sessions: z.array(sessionSchema) })
  .meta({ id: 'SessionList', example: { sessions: [exampleSession] } })
export type SessionList = z.infer<typeof sessionListSchema>

const exampleListed = {
  ...exampleAccount,
  quotaInForce: 5_368_709_120,
  used: 1_073_741_824,
  jobs: 2,
  lastSeenAt: '2026-11-20T10:02:41.000Z',
  invitedUntil: null,
}

export const listedAccountSchema = accountSchema
  .extend({
    quotaInForce: z.int().nullable().meta({ description: 'its own, or that of the server, in bytes; null: none' }),
    used: z.int().nullable().meta({
      description: 'bytes of its files and tables; null while the storage does not answer',
    }),
    jobs: z.int().meta({ description: 'unfinished jobs' }),
    lastSeenAt: z.iso.datetime().nullable().meta({
      description: 'of its last request, a minute old at most; null before the first login',
    }),
    invitedUntil: z.iso.datetime().nullable().meta({
      description: 'until when its last invitation can be accepted, also if that is over; null once it was',
    }),
  })
  .meta({ id: 'ListedAccount', example: exampleListed })
export type ListedAccountRecord = z.infer<typeof listedAccountSchema>

export const accountListSchema = z
  .object({ accounts: z.array(listedAccountSchema) })
  .meta({ id: 'AccountList', example: { accounts: [exampleListed] } })
export type AccountList = z.infer<typeof accountListSchema>

export const changePasswordSchema = z.object({ current: z.string(), new: newPassword }).meta({
  id: 'ChangePassword',
  example: { current: 'correct horse', new: 'battery staple' },
})

export const newAccountSchema = z
  .object({
    username,
    password: newPassword,
    role: roleSchema.optional(),
    name: z.string().max(200).optional(),
    email: z.string().max(254).optional(),
    quota: quotaSchema.optional(),
  })
  .meta({ id: 'NewAccount', example: { username: 'ann', password: 'correct horse', role: 'ops' } })

export const accountChangesSchema = z
  .object({ disabled: z.boolean().optional(), password: newPassword.optional(), quota: quotaSchema.optional() })
  .meta({ id: 'AccountChanges', example: { disabled: true } })

function fitsPassword(text: string): boolean {
  const bytes = Buffer.byteLength(text)
  return bytes >= passwordBytes.min && bytes <= passwordBytes.max
}
