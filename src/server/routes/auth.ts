import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi'
import {
  accountSchema,
  changePasswordSchema,
  loggedInSchema,
  loginSchema,
  sessionListSchema,
  signupSchema,
  usernamePattern,
} from '../../protocol/accounts.js'
import { Problem } from '../../protocol/problems.js'
import { routes } from '../../protocol/routes.js'
import type { Authentication } from '../auth/authentication.js'
import { guard } from '../auth/guard.js'
import type { ServerConfig } from '../config.js'
import { accountRecord, loggedIn, sessionRecord } from '../http/account-answers.js'
import { problemResponses } from '../http/answers.js'
import type { AppEnv } from '../http/app-env.js'
import { askerOf } from '../http/asker.js'
import { readJson } from '../http/json-body.js'
import { accountName, parseAccountName } from '../stores/accounts.js'

export interface AuthServices {
  authentication: Authentication
  config: Pick<ServerConfig, 'trustProxy'>
}

/** `/auth`: signing up, logging in and out, one's own sessions and password. */
export function authRoutes({ authentication, config }: AuthServices) {
  const app = new OpenAPIHono<AppEnv>()

  app.openAPIRegistry.registerPath(signupRoute)
  app.post(routes.signup, async (c) => {
    const { incoming } = c.env
    const { password, role = 'user', name, email, ...body } = await readJson(incoming, signupSchema)
    const username = body.username ?? usernameFrom(email)
    const wanted = { username, password, role, name: name ?? null, email: email ?? null }
    const { created, ...login } = await authentication.signUp(wanted, askerOf(incoming, config.trustProxy))
    const who = accountName(login.account)
    return created
      ? c.json(loggedIn(login, `Signed up as ${who}.`), 201)
      : c.json(loggedIn(login, `Logged in as ${who}: the account was there already.`), 200)
  })

  app.openAPIRegistry.registerPath(loginRoute)
  app.post(routes.login, async (c) => {
    const { incoming } = c.env
    const { password, role, username, email } = await readJson(incoming, loginSchema)
    const given = username ?? email
    if (given === undefined) throw missingUsername()
    // `ops:ann` is how accounts are written; no username has a colon.
    const who = (role === undefined && parseAccountName(given)) || { role: role ?? 'user', username: given }
    const login = await authentication.logIn({ ...who, password }, askerOf(incoming, config.trustProxy))
    return c.json(loggedIn(login, `Logged in as ${accountName(login.account)}.`), 200)
  })

  const guarded = guard(authentication)
  for (const path of [routes.logout, routes.me, routes.password]) app.use(path, guarded)
  app.use(`${routes.sessions}/*`, guarded)

  app.openapi(logoutRoute, async (c) => {
    await authentication.logOut(c.get('identity'))
    return c.body(null, 204)
  })

  app.openapi(meRoute, async (c) => c.json(accountRecord(c.get('identity').account), 200))

  app.openapi(sessionsRoute, async (c) => {
    const { account, sessionId } = c.get('identity')
    const sessions = await authentication.sessions(account)
    const newestFirst = sessions.toSorted((a, b) => b.createdAt.localeCompare(a.createdAt))
    return c.json({ sessions: newestFirst.map((session) => sessionRecord(session, sessionId)) }, 200)
  })

  app.openapi(revokeRoute, async (c) => {
    await authentication.revokeSession(c.get('identity').account, c.req.valid('param').id)
    return c.body(null, 204)
  })

  app.openAPIRegistry.registerPath(passwordRoute)
  app.post(routes.password, async (c) => {
    const { incoming } = c.env
    const { current, new: wanted } = await readJson(incoming, changePasswordSchema)
    await authentication.changePassword(c.get('identity'), current, wanted, askerOf(incoming, config.trustProxy))
    return c.body(null, 204)
  })
  return app
}

/** Clients of other programs send an address where we have a name. */
function usernameFrom(email: string | undefined): string {
  if (email === undefined) throw missingUsername()
  if (usernamePattern.test(email)) return email
  throw new Problem('invalid-request', `email: "${email}" cannot stand in for a username; give one.`, {
    field: 'email',
  })
}

function missingUsername(): Problem {
  return new Problem('invalid-request', 'username: is missing.', { field: 'username' })
}

const loggedInAnswer = { content: { 'application/json': { schema: loggedInSchema } } }
const nothing = { description: 'Done' }

const signupRoute = createRoute({
  method: 'post',
  path: routes.signup,
  summary: 'Sign up',
  description: 'Logs in where the account exists and the password fits. `email` stands in for a missing `username`.',
  request: { body: { content: { 'application/json': { schema: signupSchema } } } },
  responses: {
    200: { description: 'Logged in to the account, which was there', ...loggedInAnswer },
    201: { description: 'Signed up', ...loggedInAnswer },
    ...problemResponses(400, 401, 403, 409, 413, 415, 429, 503),
  },
})

const loginRoute = createRoute({
  method: 'post',
  path: routes.login,
  summary: 'Log in',
  request: { body: { content: { 'application/json': { schema: loginSchema } } } },
  responses: {
    200: { description: 'Logged in', ...loggedInAnswer },
    ...problemResponses(400, 401, 403, 413, 415, 429, 503),
  },
})

const logoutRoute = createRoute({
  method: 'post',
  path: routes.logout,
  summary: 'Log out',
  description: 'The token is refused from the next request on, and what runs by it is stopped.',
  responses: { 204: nothing, ...problemResponses(401) },
})

const meRoute = createRoute({
  method: 'get',
  path: routes.me,
  summary: 'Who am I?',
  responses: {
    200: { description: 'My account', content: { 'application/json': { schema: accountSchema } } },
    ...problemResponses(401),
  },
})

const sessionsRoute = createRoute({
  method: 'get',
  path: routes.sessions,
  summary: 'List my sessions, newest first',
  responses: {
    200: { description: 'My sessions', content: { 'application/json': { schema: sessionListSchema } } },
    ...problemResponses(401),
  },
})

const revokeRoute = createRoute({
  method: 'delete',
  path: `${routes.sessions}/{id}`,
  summary: 'Revoke one of my sessions',
  request: { params: z.object({ id: z.string().meta({ description: "the session's id" }) }) },
  responses: { 204: nothing, ...problemResponses(401, 404) },
})

const passwordRoute = createRoute({
  method: 'post',
  path: routes.password,
  summary: 'Change my password',
  description: 'My other sessions end.',
  request: { body: { content: { 'application/json': { schema: changePasswordSchema } } } },
  responses: { 204: nothing, ...problemResponses(400, 401, 413, 415, 429, 503) },
})
