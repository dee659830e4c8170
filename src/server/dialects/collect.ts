import { type Context, Hono } from 'hono'
import { Problem } from '../../protocol/problems.js'
import { filePath, jobHeader } from '../../protocol/routes.js'
import type { ServerConfig } from '../config.js'
import { leftSignal } from '../http/connection.js'
import { type FormUploadServices, receiveFormUpload } from '../routes/bodies/form-upload.js'
import type { AppEnv } from '../routing/app-env.js'
import { baseUrl } from '../routing/base-url.js'
import type { TableStore } from '../stores/tables.js'
import { type CollectedFile, type Collection, type Collections, parseCollected } from '../tables/collections.js'
import type { TableRows } from '../tables/table-rows.js'
import { requireEngine } from '../tables/unavailable.js'
import { type CollectAccountServices, collectAccounts } from './collect-accounts.js'
import { fieldProblem, notPermitted } from './collect-errors.js'
import { pageOf, paginated } from './collect-pages.js'
import { collectedRows } from './collect-rows.js'

export interface CollectServices extends FormUploadServices, CollectAccountServices {
  collections: Collections
  tables: TableStore
  tableRows: TableRows
  config: Pick<ServerConfig, 'trustProxy' | 'publicUrl'>
}

/** The interface that collects sales (`baseline`) and teams from CSV files. */
export function collectDialect(services: CollectServices) {
  const { collections, tables, tableRows, config } = services
  const app = new Hono<AppEnv>()

  app.route('/', collectAccounts(services))

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
      if (await collections.isBusy(identity.account)) throw notPermitted()
      const options = { field: 'file', newFolder: () => collections.newFolder(collection), maxFiles: 1 }
      const { files } = await receiveFormUpload(c.env, identity, services, options).catch(asUploadProblem)
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
    if (await collections.runningImport(account, file)) throw notPermitted()
    await collections.remove(account, baseline, file)
    return c.body(null, 204)
  })

  app.delete('/collect/team/:id', async (c) => {
    const { account } = c.get('identity')
    const file = await find(c, team)
    // If the stop comes too late, the import has published its rows, which are then removed.
    await collections.stopImport(account, file)
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
  csvOptions: { header: true, dateColumn: orderDate, dateColumnOptional: true, dateFormat: 'month-first' },
  trim: false,
}
const team: Collection = {
  folder: 'collect/team',
  table: 'collect_team',
  // A name such as 1860 must not make a column of numbers: everything is imported as text.
  csvOptions: { header: true, allText: true },
  trim: true,
}

/** If two start at the same time, the second is refused like a later one. */
function asUploadProblem(error: unknown): never {
  if (!(error instanceof Problem)) throw error
  if (error.code === 'job-running') throw notPermitted(error)
  throw error.code === 'invalid-request' ? fieldProblem({ file: [error.message] }) : error
}
