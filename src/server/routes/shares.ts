import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi'
import type { Context } from 'hono'
import { routes } from '../../protocol/routes.js'
import { newShareSchema, type ShareRecord, shareListSchema, shareSchema } from '../../protocol/shares.js'
import type { Release } from '../concurrency/semaphore.js'
import type { ServerConfig } from '../config.js'
import { fileResponses, problemResponses } from '../openapi/answers.js'
import { downloadHeaders } from '../openapi/request-headers.js'
import type { AppEnv } from '../routing/app-env.js'
import { baseUrl } from '../routing/base-url.js'
import { pathOf } from '../routing/target-check.js'
import { accountName } from '../stores/accounts.js'
import type { OpenFile } from '../stores/files.js'
import type { Folders } from '../stores/folders.js'
import type { Exports } from '../transfers/exports.js'
import type { ListedShare, Shares } from '../transfers/shares.js'
import { readJson } from './bodies/json-body.js'
import { folderFromTarget, nameFromTarget, parseFolder, parseName } from './headers/names.js'
import { addressOf } from './headers/requester.js'
import { answerFile, sendFile } from './responses/send-file.js'
import { answerSharedFolder } from './responses/shared-folder.js'

export interface ShareRouteServices {
  shares: Shares
  exports: Exports
  folderStore: Folders
  config: Pick<ServerConfig, 'publicUrl' | 'trustProxy'>
}

/** `/shares`: links to files and folders; behind the guard. */
export function shareRoutes({ shares, config }: Pick<ShareRouteServices, 'shares' | 'config'>) {
  const app = new OpenAPIHono<AppEnv>()
  const recordOf = (share: ListedShare, base: string): ShareRecord => {
    const { id, filename, available, createdAt, expiresAt } = share
    return { id, url: `${base}${routes.shared}/${shares.tokenOf(share)}`, filename, available, createdAt, expiresAt }
  }

  app.openAPIRegistry.registerPath(createShareRoute)
  app.post(routes.shares, async (c) => {
    const { account } = c.get('identity')
    const { filename, expiresIn } = await readJson(c.env.incoming, newShareSchema)
    const base = baseUrl(c.env.incoming, config)
    const name = filename.endsWith('/') ? parseFolder(filename) : parseName(filename)
    const share = await shares.create(account, name, expiresIn)
    return c.json(recordOf({ ...share, available: true }, base), 201)
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

/** `/s/TOKEN`: the file or folder of a link, and `/s/TOKEN/NAME`: a file in the folder, for everyone with the link. */
export function sharedRoutes({ shares, exports, folderStore, config }: ShareRouteServices) {
  const app = new OpenAPIHono<AppEnv>()
  const enter = async (account: string, address: string, file: OpenFile): Promise<Release> => {
    try {
      return shares.enter(account, address)
    } catch (error) {
      await file.close()
      throw error
    }
  }

  // Hono calls GET handlers for HEAD too.
  const serve = async (c: Context<AppEnv>) => {
    const { incoming } = c.env
    const token = c.req.param('token')!
    const shared = await shares.open(token, nameBelow(incoming.url ?? '', token))
    if ('folder' in shared) {
      const release = shares.enter(shared.account, addressOf(incoming, config.trustProxy))
      return await answerSharedFolder(c, folderStore, shared).finally(release)
    }
    const { file, identity, account } = shared
    return answerFile(incoming, {
      async find() {
        await file.close()
        return file.file
      },
      async send() {
        const address = addressOf(incoming, config.trustProxy)
        // A stop applies to one reader, not to all others with the same link.
        const reader = { ...identity, sessionId: `${identity.sessionId} ${address}` }
        const release = await enter(account, address, file)
        const answer = { env: c.env, identity: reader, exports, file, account, joins: false, silenceMs }
        return sendFile(answer).finally(release)
      },
    })
  }
  app.openAPIRegistry.registerPath(sharedRoute)
  app.get(`${routes.shared}/:token`, serve)
  app.openAPIRegistry.registerPath(sharedFileRoute)
  app.get(`${routes.shared}/:token/*`, serve)
  return app
}

/** What follows the token: a name, a folder with a slash at its end, or nothing. */
function nameBelow(target: string, token: string): string {
  const prefix = `${routes.shared}/${token}/`
  const path = pathOf(target)
  if (path.length <= prefix.length) return ''
  return path.endsWith('/') ? folderFromTarget(path, prefix) : nameFromTarget(path, prefix)
}

/** How long a reader of a link may read nothing. Even the slowest network empties its buffers more often. */
const silenceMs = 60_000

const createShareRoute = createRoute({
  method: 'post',
  path: routes.shares,
  summary: 'Share a file by a link',
  description:
    'The link serves whatever has that name, until it expires or is revoked. A name with a slash at its end is a folder.',
  request: { body: { content: { 'application/json': { schema: newShareSchema } } } },
  responses: {
    201: { description: 'The link', content: { 'application/json': { schema: shareSchema } } },
    ...problemResponses(400, 401, 403, 404, 413, 415),
  },
})

const listRoute = createRoute({
  method: 'get',
  path: routes.shares,
  summary: 'List my links',
  responses: {
    200: { description: 'Those that still work', content: { 'application/json': { schema: shareListSchema } } },
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

const sharedRoute = createRoute({
  method: 'get',
  path: `${routes.shared}/{token}`,
  summary: 'The file or folder of a link',
  description:
    'Each download is an export job of the account `share:ID`, which the owner sees and can stop; 32 at once, 12 from one ' +
    'address. One that takes nothing for a minute is cut. A folder is listed, as JSON or as a page: its files are at `/s/TOKEN/NAME`.',
  request: {
    params: z.object({ token: z.string().meta({ description: 'the last part of the link' }) }),
    headers: downloadHeaders,
  },
  responses: {
    ...fileResponses,
    ...problemResponses(400, 404, 409, 412, 416, 503),
  },
})

const sharedFileRoute = createRoute({
  method: 'get',
  path: `${routes.shared}/{token}/{name}`,
  summary: 'A file in the folder of a link',
  description: 'Like the file of a link. A name with a slash at its end lists a folder in it.',
  request: {
    params: sharedRoute.request.params.extend({
      name: z.string().meta({ description: 'percent-encoded, slashes kept' }),
    }),
    headers: downloadHeaders,
  },
  responses: sharedRoute.responses,
})
