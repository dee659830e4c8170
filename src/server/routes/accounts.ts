import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi'
import { accountChangesSchema, accountListSchema, accountSchema } from '../../protocol/accounts.js'
import {
  accountToCreateSchema,
  createdAccountSchema,
  type InvitationRecord,
  invitationSchema,
  invitationSeconds,
  newInvitationSchema,
} from '../../protocol/invitations.js'
import { Problem } from '../../protocol/problems.js'
import { routes } from '../../protocol/routes.js'
import type { Administration } from '../auth/administration.js'
import { drawPassword } from '../auth/first-admin.js'
import { type Invitations, invitationToken, type NewInvitation, storedInvitation } from '../auth/invitations.js'
import type { ServerConfig } from '../config.js'
import { problemResponses } from '../openapi/answers.js'
import type { AppEnv } from '../routing/app-env.js'
import { baseUrl } from '../routing/base-url.js'
import { type Account, type AccountStore, accountName, parseAccountName } from '../stores/accounts.js'
import { readJson } from './bodies/json-body.js'
import { accountRecord, listedAccountRecord } from './responses/account-answers.js'

export interface AccountServices {
  administration: Administration
  accounts: Pick<AccountStore, 'find'>
  invitations: Invitations
  config: Pick<ServerConfig, 'publicUrl' | 'trustProxy'>
}

/** `/accounts`: account administration by admins. */
export function accountRoutes({ administration, accounts, invitations, config }: AccountServices) {
  const app = new OpenAPIHono<AppEnv>()

  const named = async (name: string): Promise<Account> => {
    const parsed = parseAccountName(name)
    const account = parsed && (await accounts.find(parsed.role, parsed.username))
    if (account) return account
    throw new Problem('account-not-found', `There is no account "${name}"; accounts are written ROLE:USERNAME.`)
  }

  app.openapi(listRoute, async (c) => {
    return c.json({ accounts: (await administration.list()).map(listedAccountRecord) }, 200)
  })

  app.openAPIRegistry.registerPath(createAccountRoute)
  app.post(routes.accounts, async (c) => {
    const { incoming } = c.env
    const {
      password = drawPassword(),
      invitation: wanted,
      ...account
    } = await readJson(incoming, accountToCreateSchema)
    c.set('auditDetails', { changed: `${account.role}:${account.username}` })
    const base = baseUrl(incoming, config)
    const invited = wanted ? invitations.draw(wanted.expiresIn ?? invitationSeconds.default) : null
    const created = await administration.create({ ...account, password }, invited && storedInvitation(invited))
    const invitation = invited && invitationRecord(created, invited, base)
    return c.json({ ...accountRecord(created), invitation }, 201)
  })

  app.openAPIRegistry.registerPath(inviteRoute)
  app.post(`${routes.accounts}/:account/invitation`, async (c) => {
    const { incoming } = c.env
    const account = await named(c.req.param('account'))
    c.set('auditDetails', { changed: accountName(account) })
    const { expiresIn = invitationSeconds.default } = await readJson(incoming, newInvitationSchema)
    const base = baseUrl(incoming, config)
    return c.json(invitationRecord(account, await invitations.invite(account, expiresIn), base), 201)
  })

  app.openAPIRegistry.registerPath(changeRoute)
  app.patch(`${routes.accounts}/:account`, async (c) => {
    const account = await named(c.req.param('account'))
    const changes = await readJson(c.env.incoming, accountChangesSchema)
    c.set('auditDetails', { changed: accountName(account), changes: Object.keys(changes).sort().join(',') })
    return c.json(accountRecord(await administration.change(account, changes, c.get('identity'))), 200)
  })

  app.openapi(removeRoute, async (c) => {
    const account = await named(c.req.valid('param').account)
    c.set('auditDetails', { changed: accountName(account) })
    await administration.remove(account, accountName(c.get('identity').account))
    return c.body(null, 204)
  })
  return app
}

/** `base`: the start of the link. */
function invitationRecord(account: Account, invitation: NewInvitation, base: string): InvitationRecord {
  const url = `${base}${routes.invitations}/${invitationToken(account, invitation)}`
  return { account: accountName(account), url, expiresAt: invitation.expiresAt }
}

const params = z.object({ account: z.string().meta({ description: 'ROLE:USERNAME', example: 'user:ann' }) })
const accountAnswer = { description: 'The account', content: { 'application/json': { schema: accountSchema } } }

const listRoute = createRoute({
  method: 'get',
  path: routes.accounts,
  summary: 'List the accounts, with what they use and do (admin)',
  responses: {
    200: { description: 'All accounts', content: { 'application/json': { schema: accountListSchema } } },
    ...problemResponses(401, 403),
  },
})

const createAccountRoute = createRoute({
  method: 'post',
  path: routes.accounts,
  summary: 'Make an account of any role (admin)',
  description:
    'Without a password it gets an invitation: a link by which its owner sets the password, once. Only this response has it.',
  request: { body: { content: { 'application/json': { schema: accountToCreateSchema } } } },
  responses: {
    201: { description: 'The account', content: { 'application/json': { schema: createdAccountSchema } } },
    ...problemResponses(400, 401, 403, 409, 413, 415, 503),
  },
})

const inviteRoute = createRoute({
  method: 'post',
  path: `${routes.accounts}/{account}/invitation`,
  summary: 'Make a link by which the owner sets the password of an account, once (admin)',
  description: 'An earlier link ends. The current password, and the sessions, stay valid until the link is used.',
  request: { params, body: { content: { 'application/json': { schema: newInvitationSchema } } } },
  responses: {
    201: { description: 'The link', content: { 'application/json': { schema: invitationSchema } } },
    ...problemResponses(400, 401, 403, 404, 413, 415),
  },
})

const changeRoute = createRoute({
  method: 'patch',
  path: `${routes.accounts}/{account}`,
  summary: 'Disable or enable an account, give it a new password or a quota (admin)',
  description:
    'A new password ends its sessions; disabling it ends all that it does, at once. A quota below what it has stored removes ' +
    'nothing, and lets what has its space end: only new bytes are refused.',
  request: { params, body: { content: { 'application/json': { schema: accountChangesSchema } } } },
  responses: { 200: accountAnswer, ...problemResponses(400, 401, 403, 404, 409, 413, 415, 503) },
})

const removeRoute = createRoute({
  method: 'delete',
  path: `${routes.accounts}/{account}`,
  summary: 'Remove an account with everything it has (admin)',
  request: { params },
  responses: { 204: { description: 'Removed' }, ...problemResponses(401, 403, 404, 409) },
})
