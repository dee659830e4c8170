import { OpenAPIHono, type z } from '@hono/zod-openapi'
import { changePasswordSchema, cookieLoginSchema, signupSchema, usernamePattern } from '../../protocol/accounts.js'
import { Problem } from '../../protocol/problems.js'
import { routes } from '../../protocol/routes.js'
import type { Authentication } from '../auth/authentication.js'
import { admit } from '../auth/guard.js'
import type { Requester } from '../auth/password-check.js'
import type { ServerConfig } from '../config.js'
import { authOperations } from '../openapi/auth-operations.js'
import type { AppEnv } from '../routing/app-env.js'
import { acceptPageCookie, checkPage, noPageCookie, pageCookie } from '../routing/page-cookie.js'
import { type Account, accountName } from '../stores/accounts.js'
import type { SpaceReservations } from '../stores/space.js'
import { nullWithoutStorage } from '../stores/storage-fault.js'
import { readJson, validate } from './bodies/json-body.js'
import { missingUsername, openCredentialsOf, readLogin } from './bodies/login-body.js'
import { requesterOf } from './headers/requester.js'
import { loggedIn, ownAccountRecord, sessionRecord } from './responses/account-answers.js'

export interface AuthServices {
  authentication: Authentication
  space: Pick<SpaceReservations, 'room'>
  config: Pick<ServerConfig, 'trustProxy' | 'publicUrl'>
}

/** `/auth`: signup, login, logout, and the account's own sessions and password. */
export function authRoutes({ authentication, space, config }: AuthServices) {
  const app = new OpenAPIHono<AppEnv>()

  app.openAPIRegistry.registerPath(authOperations.signup)
  app.post(routes.signup, async (c) => {
    const { incoming } = c.env
    const wanted = signupOf(await readJson(incoming, signupSchema))
    const { created, ...login } = await authentication.signUp(wanted, requesterOf(c.env, config.trustProxy))
    const who = accountName(login.account)
    return created
      ? c.json(loggedIn(login, `Signed up as ${who}.`), 201)
      : c.json(loggedIn(login, `Logged in as ${who}: the account was there already.`), 200)
  })

  app.openAPIRegistry.registerPath(authOperations.login)
  app.post(routes.login, async (c) => {
    const { incoming } = c.env
    const login = await authentication.logIn(await readLogin(incoming), requesterOf(c.env, config.trustProxy))
    return c.json(loggedIn(login, `Logged in as ${accountName(login.account)}.`), 200)
  })

  const logInPage = async ({ role, ...open }: ReturnType<typeof openCredentialsOf>, requester: Requester) =>
    role === undefined
      ? authentication.logInToAnyRole(open, requester)
      : authentication.logIn({ ...open, role }, requester)

  app.openAPIRegistry.registerPath(authOperations.cookie)
  app.post(routes.cookie, async (c) => {
    const { incoming } = c.env
    checkPage(incoming, config)
    const { signup = false, ...body } = await readJson(incoming, cookieLoginSchema)
    const requester = requesterOf(c.env, config.trustProxy)
    const { created, ...login } = signup
      ? await authentication.signUp(signupOf(validate(body, signupSchema)), requester)
      : { created: false, ...(await logInPage(openCredentialsOf(body), requester)) }
    const message = `${created ? 'Signed up' : 'Logged in'} as ${accountName(login.account)}.`
    const { token, ...answer } = loggedIn(login, message)
    const cookie = pageCookie(incoming, config, token, new Date(login.session.expiresAt))
    return c.json(answer, created ? 201 : 200, { 'Set-Cookie': cookie })
  })

  const recordOf = async (account: Account) =>
    ownAccountRecord(account, await space.room(account).catch(nullWithoutStorage))

  app.openapi(authOperations.pageAccount, async (c) => {
    acceptPageCookie(c, config)
    const identity = await admit(c.get('pageToken'), authentication).catch(nullIfNotLoggedIn)
    return c.json({ account: identity && (await recordOf(identity.account)) }, 200)
  })

  app.openapi(authOperations.logout, async (c) => {
    await authentication.logOut(c.get('identity'))
    if (c.get('pageToken') !== undefined) c.header('Set-Cookie', noPageCookie(c.env.incoming, config))
    return c.body(null, 204)
  })

  app.openapi(authOperations.me, async (c) => c.json(await recordOf(c.get('identity').account), 200))

  app.openapi(authOperations.sessions, async (c) => {
    const { account, sessionId } = c.get('identity')
    const sessions = await authentication.sessions(account)
    const newestFirst = sessions.toSorted((a, b) => b.createdAt.localeCompare(a.createdAt))
    return c.json({ sessions: newestFirst.map((session) => sessionRecord(session, sessionId)) }, 200)
  })

  app.openapi(authOperations.revoke, async (c) => {
    await authentication.revokeSession(c.get('identity').account, c.req.valid('param').id)
    return c.body(null, 204)
  })

  app.openAPIRegistry.registerPath(authOperations.password)
  app.post(routes.password, async (c) => {
    const { incoming } = c.env
    const { current, new: wanted } = await readJson(incoming, changePasswordSchema)
    await authentication.changePassword(c.get('identity'), current, wanted, requesterOf(c.env, config.trustProxy))
    return c.body(null, 204)
  })
  return app
}

function nullIfNotLoggedIn(error: unknown): null {
  if (error instanceof Problem && error.code === 'not-logged-in') return null
  throw error
}

function signupOf({ username, password, role = 'user', name, email }: z.infer<typeof signupSchema>) {
  return { username: username ?? usernameFrom(email), password, role, name: name ?? null, email: email ?? null }
}

/** Clients of other programs send an email address instead of a name. */
function usernameFrom(email: string | undefined): string {
  if (email === undefined) throw missingUsername()
  if (usernamePattern.test(email)) return email
  throw new Problem('invalid-request', `email cannot be used as a username: "${email}". Send a username.`, {
    field: 'email',
  })
}
