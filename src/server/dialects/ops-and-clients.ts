import { type Context, Hono } from 'hono'
import { z } from 'zod'
import { newAccountSchema } from '../../protocol/accounts.js'
import { Problem, type ProblemBody } from '../../protocol/problems.js'
import { jobHeader } from '../../protocol/routes.js'
import type { Authentication } from '../auth/authentication.js'
import { getPublisher } from '../auth/publishers.js'
import type { ServerConfig } from '../config.js'
import { readFields } from '../routes/bodies/form-body.js'
import { receiveFormUpload } from '../routes/bodies/form-upload.js'
import { validate } from '../routes/bodies/json-body.js'
import { publishedFromTarget } from '../routes/headers/names.js'
import { requesterOf } from '../routes/headers/requester.js'
import { sendPublished } from '../routes/responses/send-published.js'
import type { AppEnv } from '../routing/app-env.js'
import type { AccountStore } from '../stores/accounts.js'
import type { PublishedFiles, Space } from '../stores/files.js'
import type { Exports } from '../transfers/exports.js'
import type { Uploads } from '../transfers/uploads.js'
import type { FormattedError } from './error-format.js'

export interface OpsAndClientsServices {
  authentication: Authentication
  accounts: AccountStore
  files: Pick<PublishedFiles, 'checkName' | 'find' | 'list' | 'open'>
  uploads: Uploads
  exports: Exports
  config: Pick<ServerConfig, 'trustProxy'>
}

/**
 * The interface in which ops accounts upload files that clients list and download. Bodies are form data, responses
 * plain text.
 */
export function opsAndClientsDialect(services: OpsAndClientsServices) {
  const { authentication, accounts, config, files } = services
  const app = new Hono<AppEnv>()

  for (const role of ['ops', 'client'] as const) {
    // The documented requests are partly GET and partly POST: both are accepted, and the body of a GET is read.
    app.on(['GET', 'POST'], `/${role}/signup`, async (c) => {
      const wanted = await readBody(c, signupSchema)
      const { username } = await authentication.register({ ...wanted, role }, requesterOf(c.env, config.trustProxy))
      return c.text(`Signed up as ${role}:${username}.`, 201)
    })

    app.on(['GET', 'POST'], `/${role}/login`, async (c) => {
      const credentials = await readBody(c, loginSchema)
      const requester = requesterOf(c.env, config.trustProxy)
      const { token } = await authentication.logIn({ ...credentials, role }, requester).catch(asMissing)
      return c.text(token)
    })
  }

  app.get('/logout', async (c) => {
    await authentication.logOut(c.get('identity'))
    return c.text('Logged out.')
  })

  app.post('/ops/upload', async (c) => {
    const { job } = await receiveFormUpload(c.env, c.get('identity'), services, { field: 'request_file' })
    return c.text('File uploaded', 201, { [jobHeader]: job.id })
  })

  app.on('GET', [`${clientFiles}/:ops`, `${clientFiles}/:ops/*`], async (c) => {
    const { ops, name } = publishedFromTarget(c.env.incoming.url ?? '', `${clientFiles}/`)
    const publisher = await getPublisher(accounts, ops)
    if (name === null) return c.json(await namesOf(files, publisher))
    return sendPublished(services, { env: c.env, identity: c.get('identity'), publisher, name })
  })
  return app
}

/** Formats an error as its message alone. */
export function formatPlainError({ message }: ProblemBody): FormattedError {
  return { type: 'text/plain; charset=UTF-8', body: message }
}

const clientFiles = '/client/files'

const signupSchema = newAccountSchema.pick({ username: true, password: true, name: true, email: true })
const loginSchema = z.object({ username: z.string(), password: z.string() })

/** Query strings are ignored: a password in one would end up in the logs of all proxies. */
async function readBody<T>(c: Context<AppEnv>, schema: z.ZodType<T>): Promise<T> {
  return validate(await readFields(c.env.incoming), schema)
}

async function namesOf(files: Pick<PublishedFiles, 'list'>, space: Space): Promise<string[]> {
  const names: string[] = []
  for (;;) {
    const page = await files.list(space, { prefix: '', after: names.at(-1) ?? '', limit: pageSize })
    names.push(...page.map(({ name }) => name))
    if (page.length < pageSize) return names
  }
}

const pageSize = 1000

/** The document answers 404 instead of our 401; the same for an unknown name and a wrong password, as everywhere. */
function asMissing(error: unknown): never {
  if (!(error instanceof Problem) || error.code !== 'invalid-credentials') throw error
  throw new Problem('account-not-found', error.message, {}, { cause: error })
}
