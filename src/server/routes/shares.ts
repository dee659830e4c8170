import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi'
import { Problem } from '../../protocol/problems.js'
import { routes } from '../../protocol/routes.js'
import { type NewShare, newShareSchema, type ShareRecord, shareListSchema, shareSchema } from '../../protocol/shares.js'
import { commonFolder, selectNames } from '../archives/selection.js'
import type { ServerConfig } from '../config.js'
import { problemResponses } from '../openapi/answers.js'
import type { AppEnv } from '../routing/app-env.js'
import { baseUrl } from '../routing/base-url.js'
import { type Account, accountName } from '../stores/accounts.js'
import type { ListedShare, Shares, ShareTarget, ShareTerms } from '../transfers/shares.js'
import { readJson } from './bodies/json-body.js'
import { parseFolder, parseName } from './headers/names.js'
import { requesterOf } from './headers/requester.js'

export interface ShareRouteServices {
  shares: Shares
  config: Pick<ServerConfig, 'publicUrl' | 'trustProxy'>
}

/** `/shares`: links to files and folders; behind the guard. */
export function shareRoutes({ shares, config }: ShareRouteServices) {
  const app = new OpenAPIHono<AppEnv>()
  const recordOf = (share: ListedShare, base: string): ShareRecord => {
    const {
      id,
      filename,
      names: files,
      available,
      state,
      maxDownloads,
      downloads,
      opened,
      note,
      createdAt,
      expiresAt,
    } = share
    const url = `${base}${routes.shared}/${shares.tokenOf(share)}`
    const use = { hasPassword: share.passwordHash !== null, maxDownloads, downloads, opened, note }
    return { id, url, filename, files: files && [...files], available, state, ...use, createdAt, expiresAt }
  }

  app.openAPIRegistry.registerPath(createShareRoute)
  app.post(routes.shares, async (c) => {
    const { account } = c.get('identity')
    const wanted = await readJson(c.env.incoming, newShareSchema, maxBodyBytes)
    const { password = null, maxDownloads = null, note = null } = wanted
    const base = baseUrl(c.env.incoming, config)
    const target = targetOf(account, wanted)
    c.set('auditDetails', { name: target.filename })
    const terms = { expires: expiryOf(wanted), password, maxDownloads, note: note || null }
    const share = await shares.create(account, target, terms, requesterOf(c.env, config.trustProxy))
    c.set('auditDetails', { name: target.filename, id: share.id })
    return c.json(recordOf(share, base), 201)
  })

  app.openapi(listRoute, async (c) => {
    const base = baseUrl(c.env.incoming, config)
    const own = await shares.list(c.get('identity').account)
    return c.json({ shares: own.map((share) => recordOf(share, base)) }, 200)
  })

  app.openapi(revokeRoute, async (c) => {
    const { account } = c.get('identity')
    await shares.revoke(account, c.req.valid('param').id, accountName(account))
    return c.body(null, 204)
  })
  return app
}

/** One of the two was given. A selection has each name once, and none that lies in a folder of it. */
function targetOf(account: Account, { filename, files }: NewShare): ShareTarget {
  const { names, prefixes } = selectNames(account, (files ?? [filename!]).map(parseEntry))
  const chosen = [...prefixes, ...names]
  if (chosen.length === 1) return { filename: chosen[0]!, names: null }
  if (chosen.join('').length > maxSelectedLength) {
    const reason = `The names have more than ${maxSelectedLength} characters in all: share their folder.`
    throw new Problem('invalid-request', reason, { field: 'files' })
  }
  return { filename: commonFolder(chosen), names: chosen }
}

function parseEntry(name: string): string {
  return name.endsWith('/') ? parseFolder(name) : parseName(name)
}

/** One of the two was given. */
function expiryOf({ expiresIn, expiresAt }: NewShare): ShareTerms['expires'] {
  return expiresAt === undefined ? { inSeconds: expiresIn! } : { at: new Date(expiresAt) }
}

/** Names may be escaped. */
const maxBodyBytes = 256 * 1024

/** So that the links of an account stay small. */
const maxSelectedLength = 32_768

const createShareRoute = createRoute({
  method: 'post',
  path: routes.shares,
  summary: 'Share a file by a link',
  description:
    'The link serves whatever has that name, until it expires, has no downloads left or is revoked. A name with a slash at its ' +
    'end is a folder.',
  request: { body: { content: { 'application/json': { schema: newShareSchema } } } },
  responses: {
    201: { description: 'The link', content: { 'application/json': { schema: shareSchema } } },
    ...problemResponses(400, 401, 403, 404, 413, 415, 503),
  },
})

const listRoute = createRoute({
  method: 'get',
  path: routes.shares,
  summary: 'List my links',
  responses: {
    200: {
      description: 'Those that work, and those that have ended in the last 30 days',
      content: { 'application/json': { schema: shareListSchema } },
    },
    ...problemResponses(400, 401),
  },
})

const revokeRoute = createRoute({
  method: 'delete',
  path: `${routes.shares}/{id}`,
  summary: 'Revoke a link',
  description: 'Downloads by it are stopped.',
  request: { params: z.object({ id: z.string().meta({ description: "the link's id" }) }) },
  responses: { 204: { description: 'Revoked' }, ...problemResponses(401, 404) },
})
