import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi'
import {
  accountSchema,
  changePasswordSchema,
  cookieLoggedInSchema,
  cookieLoginSchema,
  loggedInSchema,
  loginSchema,
  sessionListSchema,
  signupSchema,
  usernamePattern,
} from '../../protocol/accounts.js'
import { Problem } from '../../protocol/problems.js'
import { csrfHeader, routes } from '../../protocol/routes.js'
import type { Authentication } from '../auth/authentication.js'
import { guard } from '../auth/guard.js'
import type { ServerConfig } from '../config.js'
import { accountRecord, loggedIn, sessionRecord } from '../http/account-answers.js'
import { problemResponses } from '../http/answers.js'
import type { AppEnv } from '../http/app-env.js'
import { askerOf } from '../http/asker.js'
import { readJson, validate } from '../http/json-body.js'
import { credentialsOf, missingUsername, readLogin } from '../http/login-body.js'
import { checkPage, noPageCookie, pageCookie } from '../http/page-cookie.js'
import { accountName } from '../stores/accounts.js'

export interface AuthServices {
  authentication: Authentication
  config: Pick<ServerConfig, 'trustProxy' | 'publicUrl'>
}

/** `/auth`: signing up, logging in and out, one's own sessions and password. */
export function authRoutes({ authentication, config }: AuthServices) {
  const app = new OpenAPIHono<AppEnv>()

  app.openAPIRegistry.registerPath(signupRoute)
  app.post(routes.signup, async (c) => {
    const { incoming } = c.env
    const wanted = signupOf(await readJson(incoming, signupSchema))
    const { created, ...login } = await authentication.signUp(wanted, askerOf(incoming, config.trustProxy))
    const who = accountName(login.account)
    return created
      ? c.json(loggedIn(login, `Signed up as ${who}.`), 201)
      : c.json(loggedIn(login, `Logged in as ${who}: the account was there already.`), 200)
  })

  app.openAPIRegistry.registerPath(loginRoute)
  app.post(routes.login, async (c) => {
    const { incoming } = c.env
    const login = await authentication.logIn(await readLogin(incoming), askerOf(incoming, config.trustProxy))
    return c.json(loggedIn(login, `Logged in as ${accountName(login.account)}.`), 200)
  })

  app.openAPIRegistry.registerPath(cookieRoute)
  app.post(routes.cookie, async (c) => {
    const { incoming } = c.env
    checkPage(incoming, config)
    const { signup = false, ...body } = await readJson(incoming, cookieLoginSchema)
    const asker = askerOf(incoming, config.trustProxy)
    const { created, ...login } = signup
      ? await authentication.signUp(signupOf(validate(body, signupSchema)), asker)
      : { created: false, ...(await authentication.logIn(credentialsOf(body), asker)) }
    const message = `${created ? 'Signed up' : 'Logged in'} as ${accountName(login.account)}.`
    const { token, ...answer } = loggedIn(login, message)
    const cookie = pageCookie(incoming, config, token, new Date(login.session.expiresAt))
    return c.json(answer, created ? 201 : 200, { 'Set-Cookie': cookie, 'Cache-Control': 'no-store' })
  })

  const guarded = guard(authentication)
  for (const path of [routes.logout, routes.me, routes.password]) app.use(path, guarded)
  app.use(`${routes.sessions}/*`, guarded)

  app.openapi(logoutRoute, async (c) => {
    await authentication.logOut(c.get('identity'))
    if (c.get('pageToken') !== undefined) c.header('Set-Cookie', noPageCookie(c.env.incoming, config))
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

function signupOf({ username, password, role = 'user', name, email }: z.infer<typeof signupSchema>) {
  return { username: username ?? usernameFrom(email), password, role, name: name ?? null, email: email ?? null }
}

/** Clients of other programs send an address where we have a name. */
function usernameFrom(email: string | undefined): string {
  if (email === undefined) throw missingUsername()
  if (usernamePattern.test(email)) return email
  throw new Problem('invalid-request', `email: "${email}" cannot stand in for a username; give one.`, {
    field: 'email',
  })
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

const cookieRoute = createRoute({
  method: 'post',
  path: routes.cookie,
  summary: 'Log in a page of this server',
  description:
    'For the dashboard: the token goes into a cookie that scripts cannot read (HttpOnly, SameSite=Strict). It is accepted on ' +
    'the routes of this document, and what changes something needs the header `Filejobs-Csrf: 1` and our own `Origin`, as ' +
    'this request does. With `signup: true` it signs up.',
  request: {
    headers: z.object({ [csrfHeader]: z.literal('1') }),
    body: { content: { 'application/json': { schema: cookieLoginSchema } } },
  },
  responses: {
    200: { description: 'Logged in', content: { 'application/json': { schema: cookieLoggedInSchema } } },
    201: { description: 'Signed up', content: { 'application/json': { schema: cookieLoggedInSchema } } },
    ...problemResponses(400, 401, 403, 409, 413, 415, 429, 503),
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
