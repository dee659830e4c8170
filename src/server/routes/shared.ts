import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi'
import type { Context } from 'hono'
import { routes } from '../../protocol/routes.js'
import { linkPasswordSchema } from '../../protocol/shares.js'
import type { ArchiveExports } from '../archives/archive-exports.js'
import type { Identity } from '../auth/identity.js'
import type { ServerConfig } from '../config.js'
import { answerHeaders } from '../openapi/answer-headers.js'
import { fileResponses, problemResponses } from '../openapi/answers.js'
import { archiveQuery, downloadHeaders } from '../openapi/request-headers.js'
import type { AppEnv } from '../routing/app-env.js'
import { pathOf } from '../routing/target-check.js'
import type { PublishedFiles } from '../stores/files.js'
import type { Folders } from '../stores/folders.js'
import type { Exports } from '../transfers/exports.js'
import { ShareReaders } from '../transfers/share-readers.js'
import type { SharedFile, SharedFolder, SharedLink, SharedSelection } from '../transfers/shared-link.js'
import type { Shares } from '../transfers/shares.js'
import { readFields } from './bodies/form-body.js'
import { validate } from './bodies/json-body.js'
import { findArchive, type WantedArchive } from './headers/archive-query.js'
import { linkCookie, linkCredentials } from './headers/link-credentials.js'
import { folderFromTarget, nameFromTarget } from './headers/names.js'
import { requesterOf } from './headers/requester.js'
import { wantsPage } from './responses/link-page.js'
import { inWords, type LinkProblemTitles } from './responses/link-problem.js'
import { sendArchive } from './responses/send-archive.js'
import { answerFile, sendFile } from './responses/send-file.js'
import { answerSharedFile } from './responses/shared-file.js'
import { answerSharedFolder } from './responses/shared-folder.js'
import { answerSharedSelection, selectShared } from './responses/shared-selection.js'

export interface SharedRouteServices {
  shares: Shares
  exports: Exports
  archives: ArchiveExports
  files: Pick<PublishedFiles, 'findMany'>
  folderStore: Folders
  config: Pick<ServerConfig, 'publicUrl' | 'trustProxy'>
}

/**
 * `/s/TOKEN`: the file or folder of a link, and `/s/TOKEN/NAME`: a file in the folder, for everyone with the link. Browsers get
 * pages, on which `?download` is the file itself, and `?preview` what the page shows of it.
 */
export function sharedRoutes({ shares, exports, archives, files, folderStore, config }: SharedRouteServices) {
  const app = new OpenAPIHono<AppEnv>()
  const readers = new ShareReaders()
  const stores = { files, folders: folderStore }

  const sendAll = async (
    { env }: Context<AppEnv>,
    shared: SharedFolder | SharedSelection,
    address: string,
    wanted: WantedArchive,
  ) => {
    const { account, share } = shared
    const { name, selection } = await selectShared(stores, shared)
    const release = readers.enter(account, address)
    const download = shares.countedDownload(share)
    const from = { env, identity: readerOf(shared, address), archives, account }
    return sendArchive({ ...from, selection, wanted, name, silenceMs, download }).finally(release)
  }

  const sendShared = async ({ env, req }: Context<AppEnv>, shared: SharedFile, address: string) => {
    const { file, account, share } = shared
    return answerFile(env.incoming, {
      async find() {
        await file.close()
        return file.file
      },
      async send() {
        const isPreview = req.query('preview') !== undefined && share.maxDownloads === null
        const counted = isPreview ? {} : { download: shares.countedDownload(share) }
        const release = readers.enter(account, address)
        const from = { env, identity: readerOf(shared, address), exports, file }
        const answer = { ...from, account, joins: false, silenceMs, ...counted }
        return sendFile(answer).finally(release)
      },
    })
  }

  const answerPage = async (c: Context<AppEnv>, shared: SharedFile | SharedFolder | SharedSelection) => {
    if ('file' in shared) return answerSharedFile(c, shared)
    if ('folder' in shared) return answerSharedFolder(c, folderStore, shared)
    return answerSharedSelection(c, stores, shared)
  }

  // Hono calls GET handlers for HEAD too.
  const serve = async (c: Context<AppEnv>) => {
    const { incoming } = c.env
    const token = c.req.param('token')!
    const requester = requesterOf(c.env, config.trustProxy)
    const link = await shares.find(token, linkCredentials(incoming), requester)
    const below = nameBelow(incoming.url ?? '', token)
    const shared = await shares.open(link, below)
    try {
      if ('file' in shared && (below !== '' || !wantsPage(c) || isFileOfPage(c))) {
        return await sendShared(c, shared, requester.address)
      }
      const archive = 'file' in shared ? undefined : findArchive(c.req.query())
      if (archive && !('file' in shared)) return await sendAll(c, shared, requester.address, archive)
      const release = readers.enter(shared.account, requester.address)
      const answer = await answerPage(c, shared).finally(release)
      if (incoming.method === 'GET') shares.countOpening(link.share)
      return answer
    } finally {
      if ('file' in shared) await shared.file.close()
    }
  }
  app.openAPIRegistry.registerPath(sharedRoute)
  app.get(`${routes.shared}/:token`, inWords(serve, words))
  app.openAPIRegistry.registerPath(sharedFileRoute)
  app.get(`${routes.shared}/:token/*`, inWords(serve, words))

  const openWithPassword = async (c: Context<AppEnv>) => {
    const { incoming } = c.env
    const token = c.req.param('token')!
    const { password } = validate(await readFields(incoming), linkPasswordSchema)
    const { share } = await shares.find(token, { password }, requesterOf(c.env, config.trustProxy))
    const pass = shares.passOf(share)
    if (pass) c.header('Set-Cookie', linkCookie(incoming, config, `${routes.shared}/${token}`, pass))
    return c.redirect(`${routes.shared}/${token}`, 303)
  }
  app.openAPIRegistry.registerPath(passwordRoute)
  app.post(`${routes.shared}/:token`, inWords(openWithPassword, words))
  return app
}

function addressOf({ req }: Context<AppEnv>): string {
  return `${routes.shared}/${encodeURIComponent(req.param('token') ?? '')}`
}

/** A stop applies to one reader, not to all others with the same link. */
function readerOf({ identity }: SharedLink, address: string): Identity {
  return { ...identity, sessionId: `${identity.sessionId} ${address}` }
}

function isFileOfPage({ req }: Context<AppEnv>): boolean {
  return req.query('download') !== undefined || req.query('preview') !== undefined
}

/** What follows the token: a name, a folder with a slash at its end, or nothing. */
function nameBelow(target: string, token: string): string {
  const prefix = `${routes.shared}/${token}/`
  const path = pathOf(target)
  if (path.length <= prefix.length) return ''
  return path.endsWith('/') ? folderFromTarget(path, prefix) : nameFromTarget(path, prefix)
}

const titles: LinkProblemTitles = {
  'share-not-found': 'This link does not work',
  'share-expired': 'This link has expired',
  'share-exhausted': 'This link has been used up',
  'file-not-found': 'The file is gone',
  busy: 'Too many downloads at once',
}
const words = { titles, addressOf }

/** How long a reader of a link may read nothing. Even the slowest network empties its buffers more often. */
const silenceMs = 60_000

const sharedRoute = createRoute({
  method: 'get',
  path: `${routes.shared}/{token}`,
  summary: 'The file or folder of a link',
  description:
    'Each download is an export job of the account `share:ID`, which the owner sees and can stop; 32 at once, 12 from one ' +
    'address. One that takes nothing for a minute is cut. A link with a password takes it as that of HTTP Basic, with any ' +
    'username. A request that sends the last byte of a file is a download. Browsers (`Accept: text/html`) get a page with the file at ' +
    '`?download`. A folder is listed, as JSON or as a page, or sent as one archive: its files are at `/s/TOKEN/NAME`.',
  request: {
    params: z.object({ token: z.string().meta({ description: 'the last part of the link' }) }),
    query: archiveQuery,
    headers: downloadHeaders,
  },
  responses: {
    ...fileResponses,
    ...problemResponses(400, 401, 404, 409, 410, 412, 416, 429, 503),
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
    query: archiveQuery,
    headers: downloadHeaders,
  },
  responses: sharedRoute.responses,
})

const passwordRoute = createRoute({
  method: 'post',
  path: `${routes.shared}/{token}`,
  summary: 'Open a link with a password',
  description:
    'The form of the page of a link: sets a cookie that is valid for four hours, for this link only. Programs send the password as ' +
    'that of HTTP Basic instead.',
  request: {
    params: sharedRoute.request.params,
    body: { content: { 'application/x-www-form-urlencoded': { schema: linkPasswordSchema } } },
  },
  responses: {
    303: {
      description: 'The password is right, or there is none: the page of the link',
      headers: answerHeaders('Location', 'Set-Cookie'),
    },
    ...problemResponses(400, 401, 403, 404, 410, 413, 415, 429, 503),
  },
})
