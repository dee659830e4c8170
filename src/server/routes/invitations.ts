import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi'
import { acceptInvitationSchema, openInvitationSchema } from '../../protocol/invitations.js'
import { Problem } from '../../protocol/problems.js'
import { routes } from '../../protocol/routes.js'
import type { Invitations } from '../auth/invitations.js'
import type { ServerConfig } from '../config.js'
import { problemResponses } from '../openapi/answers.js'
import type { AppEnv } from '../routing/app-env.js'
import { addVary } from '../routing/vary.js'
import { accountName } from '../stores/accounts.js'
import { readJson, readSmallBody, validate } from './bodies/json-body.js'
import { parseUrlEncoded } from './bodies/url-encoded.js'
import { requesterOf } from './headers/requester.js'
import { answerInvitationPage, type InvitationPage } from './responses/invitation-page.js'

export interface InvitationRouteServices {
  invitations: Invitations
  config: Pick<ServerConfig, 'trustProxy'>
}

/** `/invitations/TOKEN` sets the password of an account, without a login. Browsers get a page with a form. */
export function invitationRoutes({ invitations, config }: InvitationRouteServices) {
  const app = new OpenAPIHono<AppEnv>()
  const path = `${routes.invitations}/:token`

  app.openAPIRegistry.registerPath(getRoute)
  app.get(path, async (c) => {
    const isPage = (c.req.header('Accept') ?? '').includes('text/html')
    addVary(c, 'Accept')
    const found = await invitations.find(c.req.param('token')!).catch(isPage ? asPage : rethrow)
    if ('isOpen' in found) return answerInvitationPage(c, found)
    const [account, { expiresAt }] = [accountName(found.account), found.invitation]
    return isPage ? answerInvitationPage(c, { account, isOpen: true }) : c.json({ account, expiresAt }, 200)
  })

  app.openAPIRegistry.registerPath(acceptRoute)
  app.post(path, async (c) => {
    const { incoming } = c.env
    const token = c.req.param('token')!
    const requester = requesterOf(c.env, config.trustProxy)
    if (!isForm(incoming.headers['content-type'])) {
      const { password } = await readJson(incoming, acceptInvitationSchema)
      const account = await invitations.accept(token, password, requester)
      return c.json({ account: accountName(account) }, 200)
    }
    const fields = Object.fromEntries(parseUrlEncoded(await readSmallBody(incoming)))
    const accept = async (): Promise<InvitationPage> => {
      const { account } = await invitations.find(token)
      const name = accountName(account)
      if (fields.password !== fields.again) return { account: name, isOpen: true, fault: 'The two passwords differ.' }
      try {
        const { password } = validate({ password: fields.password }, acceptInvitationSchema)
        await invitations.accept(token, password, requester)
        return { account: name, isOpen: false }
      } catch (error) {
        if (!(error instanceof Problem) || error.code !== 'invalid-request') throw error
        return { account: name, isOpen: true, fault: `The ${error.message}` }
      }
    }
    return answerInvitationPage(c, await accept().catch(asPage))
  })
  return app
}

/** Says in words, on a page, why an invitation does not work. */
function asPage(error: unknown): InvitationPage {
  if (error instanceof Problem && error.status < 500)
    return { isOpen: false, fault: error.message, status: error.status }
  throw error
}

function rethrow(error: unknown): never {
  throw error
}

function isForm(type = ''): boolean {
  return /^application\/x-www-form-urlencoded\s*(;|$)/i.test(type)
}

const params = z.object({ token: z.string().meta({ description: 'the last part of the link' }) })

const getRoute = createRoute({
  method: 'get',
  path: `${routes.invitations}/{token}`,
  summary: 'Whose password an invitation sets',
  description: 'With `Accept: text/html`, a page with a form.',
  request: { params },
  responses: {
    200: {
      description: 'The invitation',
      content: { 'application/json': { schema: openInvitationSchema }, 'text/html': { schema: z.string() } },
    },
    ...problemResponses(403, 404),
  },
})

const acceptRoute = createRoute({
  method: 'post',
  path: `${routes.invitations}/{token}`,
  summary: 'Set the password of the account that was invited',
  description:
    'It works once, and ends all sessions of the account. A form (`application/x-www-form-urlencoded`) sends `password` twice, ' +
    'the second time as `again`, and is answered by a page.',
  request: { params, body: { content: { 'application/json': { schema: acceptInvitationSchema } } } },
  responses: {
    200: {
      description: 'The password is set: log in',
      content: {
        'application/json': { schema: z.object({ account: z.string() }) },
        'text/html': { schema: z.string() },
      },
    },
    ...problemResponses(400, 403, 404, 413, 415, 503),
  },
})
