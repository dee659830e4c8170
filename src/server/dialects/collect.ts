import { type Context, Hono } from 'hono'
import { Problem } from '../../protocol/problems.js'
import { filePath, jobHeader } from '../../protocol/routes.js'
import { guard } from '../auth/guard.js'
import { permissions } from '../auth/permissions.js'
import type { ServerConfig } from '../config.js'
import type { AppEnv } from '../http/app-env.js'
import { baseUrl } from '../http/base-url.js'
import { leftSignal } from '../http/connection.js'
import { type FormUploadServices, receiveFormUpload } from '../http/form-upload.js'
import type { Log } from '../log.js'
import { accountName } from '../stores/accounts.js'
import type { TableStore } from '../stores/tables.js'
import { type CollectedFile, type Collection, type Collections, parseCollected } from '../tables/collections.js'
import type { TableRows } from '../tables/table-rows.js'
import { requireEngine } from '../tables/unavailable.js'
import { type CollectAccountServices, collectAccounts } from './collect-accounts.js'
import { pageOf, paginated } from './collect-pages.js'
import { collectedRows } from './collect-rows.js'
import { collectWords, fieldProblem, notPermitted } from './collect-words.js'
import { answerInWords } from './wording.js'

export interface CollectServices extends FormUploadServices, CollectAccountServices {
  collections: Collections
  tables: TableStore
  tableRows: TableRows
  config: Pick<ServerConfig, 'trustProxy' | 'publicUrl'>
  log: Log
}

/** The interface that collects sales (`baseline`) and teams from CSV files. */
export function collectDialect(services: CollectServices) {
  const { authentication, collections, tables, tableRows, config, log } = services
  const app = new Hono<AppEnv>()
  app.onError((error, c) => answerInWords(error, c, log, collectWords))

  app.route('/', collectAccounts(services))

  app.use('/collect/*', guard(authentication, permissions.importTables))

  const collected = (c: Context<AppEnv>, { id, name }: CollectedFile) => ({
    id,
    file: baseUrl(c.env.incoming, config) + filePath(name),
  })
  const find = async (c: Context<AppEnv>, collection: Collection): Promise<CollectedFile> => {
    const id = c.req.param('id') ?? ''
    const { account } = c.get('identity')
    const file = /^[1-9]\d{0,14}$/.test(id) && (await collections.find(account, collection, Number(id)))
    if (!file) throw new Problem('file-not-found', 'Not found.')
    return file
  }

  for (const [path, collection] of Object.entries({ '/collect/baseline': baseline, '/collect/team': team })) {
    app.post(path, async (c) => {
      const identity = c.get('identity')
      // Before the body is read.
      requireEngine()
      if (collections.isBusy(identity.account)) throw notPermitted()
      const wishes = { field: 'file', newFolder: () => collections.newFolder(collection), most: 1 }
      const { files } = await receiveFormUpload(c.env, identity, services, wishes).catch(asUploadProblem)
      const file = parseCollected(files[0]!.name, collection)!
      const job = await collections.startImport(identity, collection, file.name).catch(asUploadProblem)
      return c.json(collected(c, file), 201, { [jobHeader]: job.id })
    })

    app.get(path, async (c) => {
      const page = pageOf(c.req.query(), { usual: 10, most: 30 })
      const files = await collections.list(c.get('identity').account, collection)
      const results = files.slice(page.offset, page.offset + page.limit).map((file) => collected(c, file))
      return c.json(paginated(c.env, config, page, { count: files.length, results }))
    })
  }

  app.delete('/collect/baseline/:id', async (c) => {
    const { account } = c.get('identity')
    const file = await find(c, baseline)
    if (collections.runningImport(account, file)) throw notPermitted()
    await collections.remove(account, baseline, file)
    return c.body(null, 204)
  })

  app.delete('/collect/team/:id', async (c) => {
    const { account } = c.get('identity')
    const file = await find(c, team)
    // One that a stop comes too late for has published its rows, and they are removed.
    await collections.runningImport(account, file)?.stop(accountName(account)).catch(ignoreTooLate)
    await collections.remove(account, team, file)
    return c.body(null, 204)
  })

  app.get('/collect/data', async (c) => {
    const query = c.req.query()
    const page = pageOf(query, { usual: 30, most: 100 })
    const table = await tables.find(c.get('identity').account, baseline.table)
    const wanted = { ...page, from: query.from, column: orderDate }
    const found = await collectedRows(tableRows, table, wanted, leftSignal(c.env.outgoing))
    return c.json(paginated(c.env, config, page, found))
  })
  return app
}

const orderDate = 'Order Date'
const baseline: Collection = {
  folder: 'collect/baseline',
  table: 'collect_baseline',
  wishes: { header: true, dateColumn: orderDate, dateColumnOptional: true, dateFormat: 'month-first' },
  trim: false,
}
const team: Collection = {
  folder: 'collect/team',
  table: 'collect_team',
  // A team may be called 1860, and the next one not.
  wishes: { header: true, allText: true },
  trim: true,
}

/** Of two that begin at once, the second learns of the first as one that comes later would. */
function asUploadProblem(error: unknown): never {
  if (!(error instanceof Problem)) throw error
  if (error.code === 'job-running') throw notPermitted(error)
  throw error.code === 'invalid-request' ? fieldProblem({ file: [error.message] }) : error
}

function ignoreTooLate(error: unknown): void {
  if (!(error instanceof Problem) || !['already-published', 'not-running'].includes(error.code)) throw error
}
