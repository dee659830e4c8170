import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi'
import { accountChangesSchema, accountListSchema, accountSchema, newAccountSchema } from '../../protocol/accounts.js'
import { Problem } from '../../protocol/problems.js'
import { routes } from '../../protocol/routes.js'
import type { Administration } from '../auth/administration.js'
import { problemResponses } from '../openapi/answers.js'
import type { AppEnv } from '../routing/app-env.js'
import { type Account, type AccountStore, accountName, parseAccountName } from '../stores/accounts.js'
import { readJson } from './bodies/json-body.js'
import { accountRecord, listedAccountRecord } from './responses/account-answers.js'

export interface AccountServices {
  administration: Administration
  accounts: Pick<AccountStore, 'find'>
}

/** `/accounts`: account administration by admins. */
export function accountRoutes({ administration, accounts }: AccountServices) {
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
    const wanted = await readJson(c.env.incoming, newAccountSchema)
    return c.json(accountRecord(await administration.create(wanted)), 201)
  })

  app.openAPIRegistry.registerPath(changeRoute)
  app.patch(`${routes.accounts}/:account`, async (c) => {
    const account = await named(c.req.param('account'))
    const changes = await readJson(c.env.incoming, accountChangesSchema)
    return c.json(accountRecord(await administration.change(account, changes, c.get('identity'))), 200)
  })

  app.openapi(removeRoute, async (c) => {
    const account = await named(c.req.valid('param').account)
    await administration.remove(account, accountName(c.get('identity').account))
    return c.body(null, 204)
  })
  return app
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
  request: { body: { content: { 'application/json': { schema: newAccountSchema } } } },
  responses: { 201: accountAnswer, ...problemResponses(400, 401, 403, 409, 413, 415, 503) },
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
