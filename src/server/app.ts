import { OpenAPIHono } from '@hono/zod-openapi'
import { routes } from '../protocol/routes.js'
import type { ArchiveExports } from './archives/archive-exports.js'
import type { PreparedArchives } from './archives/prepared-archives.js'
import type { Administration } from './auth/administration.js'
import type { Authentication } from './auth/authentication.js'
import type { Invitations } from './auth/invitations.js'
import type { TokenPairs } from './auth/token-pairs.js'
import type { ServerConfig } from './config.js'
import { collectDialect } from './dialects/collect.js'
import { formatCollectError } from './dialects/collect-errors.js'
import { answerFormatted } from './dialects/error-format.js'
import { killDialect } from './dialects/kill.js'
import { formatPlainError, opsAndClientsDialect } from './dialects/ops-and-clients.js'
import { terminateDialect } from './dialects/terminate.js'
import type { FolderJobs } from './folders/folder-jobs.js'
import type { JobFeed } from './jobs/feed.js'
import type { Jobs } from './jobs/jobs.js'
import type { Log } from './log.js'
import type { Metrics } from './metrics.js'
import { accountRoutes } from './routes/accounts.js'
import { archiveRoutes } from './routes/archives.js'
import { authRoutes } from './routes/auth.js'
import { answerDashboard, dashboardRoutes } from './routes/dashboard.js'
import { documentRoutes } from './routes/documents.js'
import { exportRoutes } from './routes/export.js'
import { featureRoutes } from './routes/features.js'
import { fileListRoutes } from './routes/file-lists.js'
import { fileRequestRoutes } from './routes/file-requests.js'
import { fileRoutes } from './routes/files.js'
import { folderJobRoutes } from './routes/folder-jobs.js'
import { folderRoutes } from './routes/folders.js'
import { healthRoutes } from './routes/health.js'
import { importRoutes } from './routes/imports.js'
import { invitationRoutes } from './routes/invitations.js'
import { jobEventRoutes } from './routes/job-events.js'
import { jobFileRoutes } from './routes/job-files.js'
import { jobRoutes } from './routes/jobs.js'
import { metricsRoutes } from './routes/metrics.js'
import { openRequestRoutes } from './routes/open-request.js'
import { preparedArchiveRoutes } from './routes/prepared-archives.js'
import { publishedRoutes } from './routes/published.js'
import { queryRoutes } from './routes/query.js'
import type { Dashboard } from './routes/responses/dashboard-files.js'
import { answerProblem } from './routes/responses/problems.js'
import { type ServerRouteServices, serverRoutes } from './routes/server.js'
import { sharedRoutes } from './routes/shared.js'
import { shareRoutes } from './routes/shares.js'
import { tableRoutes } from './routes/tables.js'
import { tarRoutes } from './routes/tars.js'
import { tokenRoutes } from './routes/tokens.js'
import { announceTus, tusRoutes } from './routes/tus.js'
import { uploadRoutes } from './routes/upload.js'
import type { AppEnv } from './routing/app-env.js'
import { checkMounted } from './routing/check-mounted.js'
import { confirmOwnJobs } from './routing/confirm-own-jobs.js'
import { cors } from './routing/cors.js'
import { limitEmbedding } from './routing/embedding.js'
import { enforceRoutes } from './routing/enforce-routes.js'
import { forwardStreams } from './routing/forward-streams.js'
import { headCheck } from './routing/head-check.js'
import { hostCheck } from './routing/host-check.js'
import { requestLog } from './routing/request-log.js'
import { routeTable } from './routing/route-table.js'
import { strictTransport } from './routing/strict-transport.js'
import { targetCheck } from './routing/target-check.js'
import type { AccountStore } from './stores/accounts.js'
import type { PublishedFiles } from './stores/files.js'
import type { Folders } from './stores/folders.js'
import type { JobFiles } from './stores/job-files.js'
import type { Owners } from './stores/owners.js'
import type { RemoteJobs } from './stores/remote-jobs.js'
import type { SpaceReservations } from './stores/space.js'
import type { TableStore } from './stores/tables.js'
import type { Collections } from './tables/collections.js'
import type { Imports } from './tables/imports.js'
import type { Queries } from './tables/queries.js'
import type { TableExports } from './tables/table-exports.js'
import type { TableFacets } from './tables/table-facets.js'
import type { TableRows } from './tables/table-rows.js'
import type { TableSummaries } from './tables/table-summaries.js'
import type { TarUploads } from './tars/tar-uploads.js'
import type { Exports } from './transfers/exports.js'
import type { FileRequests } from './transfers/file-requests.js'
import type { Previews } from './transfers/previews.js'
import type { ResumableUploads } from './transfers/resumable.js'
import type { Shares } from './transfers/shares.js'
import type { Uploads } from './transfers/uploads.js'

export interface Services extends ServerRouteServices {
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
  invitations: Invitations
  files: PublishedFiles
  folderStore: Folders
  space: SpaceReservations
  jobs: Jobs
  /** Of the other servers; null for a server that is alone. */
  owners: Owners | null
  remote: Pick<RemoteJobs, 'confirmOwn'>
  folders: FolderJobs
  jobFiles: JobFiles
  feed: JobFeed
  uploads: Uploads
  tars: TarUploads
  resumable: ResumableUploads
  exports: Exports
  previews: Previews
  archives: ArchiveExports
  prepared: PreparedArchives
  shares: Shares
  requests: FileRequests
  tables: TableStore
  imports: Imports
  collections: Collections
  tableRows: TableRows
  tableFacets: TableFacets
  tableSummaries: TableSummaries
  tableExports: TableExports
  queries: Queries
  /** The media type for a file name. */
  mediaTypeOf(name: string): string
  /** Why the server accepts no new work: its shutdown, or its disk; null if it does. */
  findFault(): Promise<string | null>
}

/**
 * Mounts every route on one app. Does no I/O. Throws if a route is missing in the table of routes or has no handler.
 */
export function createApp(services: Services): OpenAPIHono<AppEnv> {
  const { config, log } = services
  const app = new OpenAPIHono<AppEnv>({ strict: false })
  app.onError((error, c) => {
    const errors = c.get('errors')
    return errors ? answerFormatted(error, c, log, dialectErrors[errors]) : answerProblem(error, c, log)
  })
  app.use(requestLog(log, config))
  app.use((c, next) => {
    c.env.outgoing.setHeader('X-Content-Type-Options', 'nosniff')
    return next()
  })
  app.use(limitEmbedding())
  app.use(strictTransport(config))
  app.use(headCheck())
  app.use(targetCheck())
  app.use(hostCheck(config))
  app.use(cors(config.corsOrigin))
  for (const tus of [routes.tus, `${routes.request}/:token/tus`]) app.use(`${tus}/*`, announceTus(config))
  app.use(enforceRoutes(routeTable, { ...services, answerPage: (c) => answerDashboard(c, services) }))
  app.use(confirmOwnJobs(services))
  app.use(forwardStreams(services))

  app.route('/', dashboardRoutes(services))
  app.route('/', healthRoutes(services))
  app.route('/', metricsRoutes(services))
  app.route('/', featureRoutes(services))
  app.route('/', documentRoutes(app, services.version))
  app.route('/', authRoutes(services))
  app.route('/', tokenRoutes(services))
  app.route('/', accountRoutes(services))
  app.route('/', invitationRoutes(services))
  app.route('/', serverRoutes(services))
  app.route('/', sharedRoutes(services))
  app.route('/', openRequestRoutes(services))
  app.route('/', archiveRoutes(services))
  app.route('/', publishedRoutes(services))
  app.route('/', uploadRoutes(services))
  app.route('/', exportRoutes(services))
  app.route('/', preparedArchiveRoutes(services))
  app.route('/', tarRoutes(services))
  app.route('/', fileListRoutes(services))
  app.route('/', folderRoutes(services))
  app.route('/', fileRoutes(services))
  app.route('/', importRoutes(services))
  app.route('/', tableRoutes(services))
  app.route('/', queryRoutes(services))
  app.route('/', jobEventRoutes(services))
  app.route('/', jobRoutes(services))
  app.route('/', folderJobRoutes(services))
  app.route('/', jobFileRoutes(services))
  app.route('/', tusRoutes(services))
  app.route('/', shareRoutes(services))
  app.route('/', fileRequestRoutes(services))
  for (const dialect of [terminateDialect, killDialect, collectDialect, opsAndClientsDialect]) {
    app.route('/', dialect(services))
  }
  checkMounted(app.routes, routeTable)
  return app
}

const dialectErrors = { collect: formatCollectError, plain: formatPlainError } as const
