import { createRoute, z } from '@hono/zod-openapi'
import {
  changePasswordSchema,
  cookieLoggedInSchema,
  cookieLoginSchema,
  loggedInSchema,
  loginSchema,
  ownAccountSchema,
  pageAccountSchema,
  sessionListSchema,
  signupSchema,
} from '../../protocol/accounts.js'
import { routes } from '../../protocol/routes.js'
import { answerHeaders } from './answer-headers.js'
import { problemResponses } from './answers.js'
import { pageHeaders } from './request-headers.js'

const loggedInAnswer = { content: { 'application/json': { schema: loggedInSchema } } }
const nothing = { description: 'Done' }

const signup = createRoute({
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

const login = createRoute({
  method: 'post',
  path: routes.login,
  summary: 'Log in',
  request: { body: { content: { 'application/json': { schema: loginSchema } } } },
  responses: {
    200: { description: 'Logged in', ...loggedInAnswer },
    ...problemResponses(400, 401, 403, 413, 415, 429, 503),
  },
})

const cookieAnswer = {
  headers: answerHeaders('Set-Cookie'),
  content: { 'application/json': { schema: cookieLoggedInSchema } },
}

const cookie = createRoute({
  method: 'post',
  path: routes.cookie,
  summary: 'Log in a page of this server',
  description:
    'For the dashboard: the token goes into a cookie that scripts cannot read (HttpOnly, SameSite=Strict). It is accepted on ' +
    'the routes of this document, and what changes something needs the header `Filejobs-Csrf: 1` and our own `Origin`, as ' +
    'this request does. With `signup: true` it signs up. Without a `role`, the account of any role with this name and password is meant; ' +
    'if there are several, the response is `role-required` with their `roles`.',
  request: {
    headers: pageHeaders,
    body: { content: { 'application/json': { schema: cookieLoginSchema } } },
  },
  responses: {
    200: { description: 'Logged in', ...cookieAnswer },
    201: { description: 'Signed up', ...cookieAnswer },
    ...problemResponses(400, 401, 403, 409, 413, 415, 429, 503),
  },
})

const pageAccount = createRoute({
  method: 'get',
  path: routes.cookie,
  summary: 'Who is signed in on a page of this server?',
  description: 'By the cookie alone. To ask is no fault: without a valid one, the account is null.',
  responses: {
    200: {
      description: 'The account, if there is one',
      content: { 'application/json': { schema: pageAccountSchema } },
    },
    ...problemResponses(403),
  },
})

const logout = createRoute({
  method: 'post',
  path: routes.logout,
  summary: 'Log out',
  description: 'The token is refused from the next request on, and what runs by it is stopped.',
  responses: { 204: { ...nothing, headers: answerHeaders('Set-Cookie') }, ...problemResponses(401) },
})

const me = createRoute({
  method: 'get',
  path: routes.me,
  summary: 'Who am I?',
  description: 'Also how many bytes I have stored, and how many more I may store.',
  responses: {
    200: { description: 'My account', content: { 'application/json': { schema: ownAccountSchema } } },
    ...problemResponses(401),
  },
})

const sessions = createRoute({
  method: 'get',
  path: routes.sessions,
  summary: 'List my sessions, newest first',
  responses: {
    200: { description: 'My sessions', content: { 'application/json': { schema: sessionListSchema } } },
    ...problemResponses(401),
  },
})

const revoke = createRoute({
  method: 'delete',
  path: `${routes.sessions}/{id}`,
  summary: 'Revoke one of my sessions',
  request: { params: z.object({ id: z.string().meta({ description: "the session's id" }) }) },
  responses: { 204: nothing, ...problemResponses(401, 404) },
})

const password = createRoute({
  method: 'post',
  path: routes.password,
  summary: 'Change my password',
  description: 'My other sessions end.',
  request: { body: { content: { 'application/json': { schema: changePasswordSchema } } } },
  responses: { 204: nothing, ...problemResponses(400, 401, 413, 415, 429, 503) },
})

/** The operations of `/auth` as the API document describes them. */
export const authOperations = { signup, login, cookie, pageAccount, logout, me, sessions, revoke, password }
