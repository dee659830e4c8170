import { randomUUID } from 'node:crypto'
import { OpenAPIHono } from '@hono/zod-openapi'
import type { Context } from 'hono'
import { requestLength } from '../../protocol/body-length.js'
import type { OpenRequestRecord, SentFileRecord } from '../../protocol/file-requests.js'
import { Problem } from '../../protocol/problems.js'
import { jobHeader, routes } from '../../protocol/routes.js'
import { linkPasswordSchema } from '../../protocol/shares.js'
import type { ServerConfig } from '../config.js'
import type { Log } from '../log.js'
import type { AppEnv } from '../routing/app-env.js'
import type { PublishedFiles, StoredFile } from '../stores/files.js'
import type { RemoteJobs } from '../stores/remote-jobs.js'
import type { FileRequests, OpenedRequest } from '../transfers/file-requests.js'
import { leftOf } from '../transfers/request-state.js'
import type { Uploads } from '../transfers/uploads.js'
import { readFields } from './bodies/form-body.js'
import { receiveFormUpload } from './bodies/form-upload.js'
import { validate } from './bodies/json-body.js'
import { uploadRequest } from './bodies/upload-request.js'
import { declaredDigests, fileFields, lateDigests, reprDigest } from './headers/digests.js'
import { linkCookie, linkCredentials } from './headers/link-credentials.js'
import { checkedName, nameFromTarget } from './headers/names.js'
import { requesterOf } from './headers/requester.js'
import { slotWaitOf } from './headers/slot-wait.js'
import { documentOpenRequest } from './open-request-document.js'
import type { Dashboard } from './responses/dashboard-files.js'
import { wantsPage } from './responses/link-page.js'
import { inWords, type LinkProblemTitles } from './responses/link-problem.js'
import { answerProblem } from './responses/problems.js'
import { answerRequestPage, answerSentPage } from './responses/request-page.js'
import { problemForSender } from './responses/sender-problem.js'
import { senderOf } from './responses/shared-file.js'
import { checkTusVersion, type TusDoor, TusExchange, type TusExchangeServices, tusStatuses } from './tus-exchange.js'

export interface OpenRequestServices extends TusExchangeServices {
  requests: FileRequests
  uploads: Uploads
  files: Pick<PublishedFiles, 'checkName' | 'find'>
  remote: Pick<RemoteJobs, 'confirmOwn'>
  dashboard: Dashboard
  log: Log
  config: Pick<ServerConfig, 'publicUrl' | 'trustProxy'>
}

/**
 * `/r/TOKEN`: a link for uploads, for everyone with it. Browsers get a page; `PUT /r/TOKEN/NAME`, a form and tus at
 * `/r/TOKEN/tus` upload.
 */
export function openRequestRoutes(services: OpenRequestServices) {
  const { requests, uploads, files, remote, mediaTypeOf, dashboard, log, config } = services
  const app = new OpenAPIHono<AppEnv>({ strict: false })
  const exchange = new TusExchange(services)
  const script = [...dashboard.keys()].find((path) => /^assets\/request-[^/]*\.js$/.test(path))
  const byToken = `${routes.request}/:token`
  documentOpenRequest(app)

  const find = (c: Context<AppEnv>, isContinued = false): Promise<OpenedRequest> => {
    const requester = requesterOf(c.env, config.trustProxy)
    return requests.find(tokenOf(c), linkCredentials(c.env.incoming), requester, isContinued)
  }

  // Hono calls GET handlers for HEAD too.
  const show = async (c: Context<AppEnv>) => {
    const opened = await find(c)
    if (!wantsPage(c)) return c.json(openRecord(opened), 200, privacy)
    if (c.env.incoming.method === 'GET') requests.countOpening(opened.request)
    return answerRequestPage(c, opened, { address: addressOf(c), script })
  }
  app.get(byToken, inWords(show, words))

  const receiveForm = async (c: Context<AppEnv>) => {
    const opened = await find(c)
    const { folder } = opened.request
    const options = { newFolder: async () => folder, link: linkOf(opened) }
    const { files: published, job } = await receiveFormUpload(c.env, opened.identity, { uploads, files }, options)
    const sent = published.map((file) => sentRecord(file, folder))
    if (wantsPage(c)) return answerSentPage(c, opened, { address: addressOf(c), files: sent })
    return c.json({ files: sent }, 201, { [jobHeader]: job.id })
  }

  const openWithPassword = async (c: Context<AppEnv>) => {
    const { incoming } = c.env
    const { password } = validate(await readFields(incoming), linkPasswordSchema)
    const { request } = await requests.find(tokenOf(c), { password }, requesterOf(c.env, config.trustProxy))
    const pass = requests.passOf(request)
    if (pass) c.header('Set-Cookie', linkCookie(incoming, config, addressOf(c), pass))
    return c.redirect(addressOf(c), 303)
  }
  app.post(
    byToken,
    inWords((c) => (isPassword(c) ? openWithPassword(c) : receiveForm(c)), words),
  )

  // Before the routes of tus, which are for all methods: a file may have their name.
  app.put(`${byToken}/*`, async (c) => {
    const { incoming } = c.env
    const opened = await find(c)
    const { folder } = opened.request
    const given = nameFromTarget(incoming.url ?? '', `${addressOf(c)}/`)
    const { request, done } = uploadRequest(c.env, opened.identity, linkOf(opened))
    try {
      const { file, job } = await uploads.receiveFile({
        ...request,
        waitMs: slotWaitOf(incoming, Number.POSITIVE_INFINITY),
        name: checkedName(folder, given),
        type: incoming.headers['content-type'] || mediaTypeOf(given),
        body: incoming,
        size: requestLength(incoming.headers),
        digests: declaredDigests((name) => incoming.headers[name] as string | undefined, fileFields),
        lateDigests: () => lateDigests(incoming, fileFields),
        precondition: {},
      })
      const sent = sentRecord(file, folder)
      return c.json(sent, 201, { 'Repr-Digest': reprDigest(sent.sha256), ...(job ? { [jobHeader]: job.id } : {}) })
    } finally {
      done()
    }
  })

  const doorOf = (c: Context<AppEnv>, opened: OpenedRequest): TusDoor => {
    const { folder } = opened.request
    const nameOf = (name: string | null) => checkedName(folder, name ?? randomUUID())
    return { identity: opened.identity, address: `${addressOf(c)}/tus`, link: { ...linkOf(opened), nameOf } }
  }

  app.all(`${byToken}/tus`, async (c) => {
    checkTusVersion(c)
    return exchange.create(c, doorOf(c, await find(c)))
  })

  app.all(`${byToken}/tus/:id`, async (c) => {
    checkTusVersion(c)
    // What has begun may go on after the link has expired, or is full.
    const opened = await find(c, true)
    await remote.confirmOwn()
    return exchange.answer(c, c.req.param('id'), doorOf(c, opened))
  })

  app.onError((error, c) => {
    const isTus = ofTus.test(c.req.path)
    return answerProblem(error instanceof Problem ? problemForSender(error) : error, c, log, isTus ? tusStatuses : {})
  })
  return app
}

function tokenOf(c: Context<AppEnv>): string {
  return c.req.param('token') ?? ''
}

/** The path of the link. */
function addressOf(c: Context<AppEnv>): string {
  return `${routes.request}/${encodeURIComponent(tokenOf(c))}`
}

function linkOf({ account, request: { maxFileBytes } }: OpenedRequest) {
  return { account, maxFileBytes }
}

function openRecord({ request, identity }: OpenedRequest): OpenRequestRecord {
  const { note, expiresAt, maxFileBytes } = request
  return { from: senderOf(identity.account), note, expiresAt, maxFileBytes, ...leftOf(request) }
}

function sentRecord({ name, size, sha256 }: StoredFile, folder: string): SentFileRecord {
  return { name: name.slice(folder.length), size, sha256: sha256! }
}

function isPassword({ req }: Context<AppEnv>): boolean {
  return /^application\/x-www-form-urlencoded\s*(;|$)/i.test(req.header('content-type') ?? '')
}

const notSent = 'Nothing was sent'
const titles: LinkProblemTitles = {
  'request-not-found': 'This link does not work',
  'request-expired': 'This link has expired',
  'request-revoked': 'This link was revoked',
  'request-full': 'This link takes no more files',
  'invalid-request': notSent,
  'file-too-large': notSent,
  'quota-exceeded': notSent,
  'disk-full': notSent,
  'name-conflict': notSent,
  'job-stopped': 'The upload was stopped',
  'job-running': 'Too many uploads at once',
  busy: 'Too many uploads at once',
}
const words = { titles, addressOf, tell: problemForSender }

/** The address is a secret. */
const privacy = { 'Referrer-Policy': 'no-referrer' }
const ofTus = new RegExp(`^${routes.request}/[^/]+/tus(/|$)`)
