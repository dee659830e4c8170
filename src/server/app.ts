import { OpenAPIHono } from '@hono/zod-openapi'
import { Problem } from '../protocol/problems.js'
import { routes } from '../protocol/routes.js'
import type { Administration } from './auth/administration.js'
import type { Authentication } from './auth/authentication.js'
import { guard } from './auth/guard.js'
import type { TokenPairs } from './auth/token-pairs.js'
import type { ServerConfig } from './config.js'
import { collectDialect } from './dialects/collect.js'
import { killDialect } from './dialects/kill.js'
import { opsAndClientsDialect } from './dialects/ops-and-clients.js'
import { terminateDialect } from './dialects/terminate.js'
import type { AppEnv } from './http/app-env.js'
import { cors } from './http/cors.js'
import type { Dashboard } from './http/dashboard-files.js'
import { hostCheck } from './http/host-check.js'
import { acceptPageCookie } from './http/page-cookie.js'
import { answerProblem } from './http/problems.js'
import { requestLog } from './http/request-log.js'
import { targetCheck } from './http/target-check.js'
import type { JobFeed } from './jobs/feed.js'
import type { Jobs } from './jobs/jobs.js'
import type { Log } from './log.js'
import type { Metrics } from './metrics.js'
import { accountRoutes } from './routes/accounts.js'
import { authRoutes } from './routes/auth.js'
import { dashboardRoutes } from './routes/dashboard.js'
import { documentRoutes } from './routes/documents.js'
import { exportRoutes } from './routes/export.js'
import { fileRoutes } from './routes/files.js'
import { healthRoutes } from './routes/health.js'
import { importRoutes } from './routes/imports.js'
import { jobEventRoutes } from './routes/job-events.js'
import { jobRoutes } from './routes/jobs.js'
import { metricsRoutes } from './routes/metrics.js'
import { publishedRoutes } from './routes/published.js'
import { queryRoutes } from './routes/query.js'
import { sharedRoutes, shareRoutes } from './routes/shares.js'
import { tableRoutes } from './routes/tables.js'
import { tokenRoutes } from './routes/tokens.js'
import { tusRoutes } from './routes/tus.js'
import { uploadRoutes } from './routes/upload.js'
import type { AccountStore } from './stores/accounts.js'
import type { FileStore } from './stores/files.js'
import type { TableStore } from './stores/tables.js'
import type { Collections } from './tables/collections.js'
import type { Imports } from './tables/imports.js'
import type { Queries } from './tables/queries.js'
import type { TableExports } from './tables/table-exports.js'
import type { TableRows } from './tables/table-rows.js'
import type { TableSummaries } from './tables/table-summaries.js'
import type { Exports } from './transfers/exports.js'
import type { ResumableUploads } from './transfers/resumable.js'
import type { Shares } from './transfers/shares.js'
import type { Uploads } from './transfers/uploads.js'

export interface Services {
  config: ServerConfig
  log: Log
  dashboard: Dashboard
  /** Of this package. */
  version: string
  metrics: Metrics
  accounts: AccountStore
  authentication: Authentication
  tokenPairs: TokenPairs
  administration: Administration
  files: FileStore
  jobs: Jobs
  feed: JobFeed
  uploads: Uploads
  resumable: ResumableUploads
  exports: Exports
  shares: Shares
  tables: TableStore
  imports: Imports
  collections: Collections
  tableRows: TableRows
  tableSummaries: TableSummaries
  tableExports: TableExports
  queries: Queries
  /** The media type that a name promises. */
  mediaTypeOf(name: string): string
  /** False while the server shuts down. */
  isReady(): boolean
}

/** Mounts every route on one app. Does no I/O. */
export function createApp(services: Services): OpenAPIHono<AppEnv> {
  const app = new OpenAPIHono<AppEnv>({ strict: false })
  app.onError((error, c) => answerProblem(error, c, services.log))
  app.notFound((c) => {
    const problem = new Problem('not-found', `There is nothing at ${c.req.method} ${c.req.path}.`)
    return answerProblem(problem, c, services.log)
  })
  app.use(requestLog(services.log, services.config))
  app.use((c, next) => {
    c.env.outgoing.setHeader('X-Content-Type-Options', 'nosniff')
    return next()
  })
  app.use(targetCheck())
  app.use(hostCheck(services.config))
  app.use(cors(services.config.corsOrigin))
  app.route('/', dashboardRoutes(services))
  app.route('/', healthRoutes(services))
  app.route('/', metricsRoutes(services))
  app.route('/', documentRoutes(app, services.version))
  // The dashboard's cookie counts on our own routes only, never on a dialect's.
  const acceptCookie = acceptPageCookie(services.config)
  for (const path of ownRoutes) app.use(path, acceptCookie)
  app.route('/', authRoutes(services))
  app.route('/', tokenRoutes(services))
  app.route('/', accountRoutes(services))
  app.route('/', sharedRoutes(services))
  app.route('/', publishedRoutes(services))

  const guarded = guard(services.authentication)
  const mine = [
    routes.upload,
    routes.export,
    routes.files,
    routes.import,
    routes.tables,
    routes.query,
    routes.jobs,
    routes.shares,
  ]
  for (const path of mine) app.use(`${path}/*`, guarded)
  app.route('/', uploadRoutes(services))
  app.route('/', exportRoutes(services))
  app.route('/', fileRoutes(services))
  app.route('/', importRoutes(services))
  app.route('/', tableRoutes(services))
  app.route('/', queryRoutes(services))
  app.route('/', jobEventRoutes(services))
  app.route('/', jobRoutes(services))
  app.route('/', tusRoutes(services))
  app.route('/', shareRoutes(services))
  for (const dialect of [terminateDialect, killDialect, collectDialect, opsAndClientsDialect]) {
    app.route('/', dialect(services))
  }
  return app
}

const ownRoutes = [
  '/auth/*',
  `${routes.accounts}/*`,
  // Not what lies below these: dialects have their own words for a stop there.
  routes.upload,
  routes.uploadStop,
  routes.export,
  routes.exportStop,
  `${routes.files}/*`,
  `${routes.published}/*`,
  `${routes.import}/*`,
  `${routes.tables}/*`,
  `${routes.query}/*`,
  `${routes.jobs}/*`,
  `${routes.tus}/*`,
  `${routes.shares}/*`,
] as const
