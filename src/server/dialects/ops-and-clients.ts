import { type Context, Hono } from 'hono'
import { z } from 'zod'
import { newAccountSchema } from '../../protocol/accounts.js'
import { Problem } from '../../protocol/problems.js'
import { jobHeader } from '../../protocol/routes.js'
import type { Authentication } from '../auth/authentication.js'
import { guard } from '../auth/guard.js'
import { permissions } from '../auth/permissions.js'
import { getPublisher } from '../auth/publishers.js'
import type { ServerConfig } from '../config.js'
import type { AppEnv } from '../http/app-env.js'
import { askerOf } from '../http/asker.js'
import { readFields } from '../http/form-body.js'
import { receiveFormUpload } from '../http/form-upload.js'
import { validate } from '../http/json-body.js'
import { publishedFromTarget } from '../http/names.js'
import { sendPublished } from '../http/send-published.js'
import type { Log } from '../log.js'
import type { AccountStore } from '../stores/accounts.js'
import type { FileStore, Space } from '../stores/files.js'
import type { Exports } from '../transfers/exports.js'
import type { Uploads } from '../transfers/uploads.js'
import { answerInWords } from './wording.js'

export interface OpsAndClientsServices {
  authentication: Authentication
  accounts: AccountStore
  files: FileStore
  uploads: Uploads
  exports: Exports
  config: Pick<ServerConfig, 'trustProxy'>
  log: Log
}

/** The interface in which ops upload what clients list and download. Bodies are form data, answers plain text. */
export function opsAndClientsDialect(services: OpsAndClientsServices) {
  const { authentication, accounts, config, files, log } = services
  const app = new Hono<AppEnv>()
  app.onError((error, c) => answerInWords(error, c, log, ({ message }) => ({ type: plainText, body: message })))

  for (const role of ['ops', 'client'] as const) {
    // The document has GET for some and POST for others: both are taken, and the body of a GET counts.
    app.on(['GET', 'POST'], `/${role}/signup`, async (c) => {
      const wanted = await readBody(c, signupSchema)
      const { username } = await authentication.register({ ...wanted, role })
      return c.text(`Signed up as ${role}:${username}.`, 201)
    })

    app.on(['GET', 'POST'], `/${role}/login`, async (c) => {
      const credentials = await readBody(c, loginSchema)
      const asker = askerOf(c.env.incoming, config.trustProxy)
      const { token } = await authentication.logIn({ ...credentials, role }, asker).catch(asMissing)
      return c.text(token, 200, { 'Cache-Control': 'no-store' })
    })
  }

  app.get('/logout', guard(authentication), async (c) => {
    await authentication.logOut(c.get('identity'))
    return c.text('Logged out.', 200, { 'Cache-Control': 'no-store' })
  })

  app.post('/ops/upload', guard(authentication, permissions.publish), async (c) => {
    const { job } = await receiveFormUpload(c.env, c.get('identity'), services, { field: 'request_file' })
    return c.text('File uploaded', 201, { [jobHeader]: job.id })
  })

  app.get(`${clientFiles}/*`, guard(authentication, permissions.readPublished), async (c) => {
    const { ops, name } = publishedFromTarget(c.env.incoming.url ?? '', `${clientFiles}/`)
    const publisher = await getPublisher(accounts, ops)
    if (name === null) return c.json(await namesOf(files, publisher))
    return sendPublished(services, { env: c.env, identity: c.get('identity'), publisher, name })
  })
  return app
}

const clientFiles = '/client/files'
const plainText = 'text/plain; charset=UTF-8'

const signupSchema = newAccountSchema.pick({ username: true, password: true, name: true, email: true })
const loginSchema = z.object({ username: z.string(), password: z.string() })

/** A query is never looked at: a password in it would stand in every log on the way. */
async function readBody<T>(c: Context<AppEnv>, schema: z.ZodType<T>): Promise<T> {
  return validate(await readFields(c.env.incoming), schema)
}

async function namesOf(files: FileStore, space: Space): Promise<string[]> {
  const names: string[] = []
  for (;;) {
    const page = await files.list(space, { prefix: '', after: names.at(-1) ?? '', limit: pageSize })
    names.push(...page.map(({ name }) => name))
    if (page.length < pageSize) return names
  }
}

const pageSize = 1000

/** The document answers 404 where we answer 401; as everywhere, alike for an unknown name and a wrong password. */
function asMissing(error: unknown): never {
  if (!(error instanceof Problem) || error.code !== 'invalid-credentials') throw error
  throw new Problem('account-not-found', error.message, {}, { cause: error })
}
