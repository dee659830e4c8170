/** The paths that client and server share. */
export const routes = {
  signup: '/auth/signup',
  login: '/auth/login',
  logout: '/auth/logout',
  cookie: '/auth/cookie',
  me: '/auth/me',
  sessions: '/auth/sessions',
  password: '/auth/password',
  tokens: '/auth/tokens',
  tokensRefresh: '/auth/tokens/refresh',
  accounts: '/accounts',
  invitations: '/invitations',
  upload: '/upload',
  uploadStop: '/upload/stop',
  export: '/export',
  exportStop: '/export/stop',
  files: '/files',
  import: '/import',
  importCheck: '/import/check',
  importStop: '/import/stop',
  tables: '/tables',
  query: '/query',
  published: '/published',
  jobs: '/jobs',
  jobEvents: '/jobs/events',
  tus: '/tus',
  health: '/healthz',
  ready: '/readyz',
  metrics: '/metrics',
  features: '/features',
  server: '/server',
  serverCheck: '/server/check',
  serverLog: '/server/log',
  serverLogEvents: '/server/log/events',
  apiDocument: '/openapi.json',
  docs: '/docs',
  shares: '/shares',
  shared: '/s',
  requests: '/requests',
  request: '/r',
} as const

/** The id of a job: set by the client (a UUID), and returned in every response about a job. */
export const jobHeader = 'Filejobs-Job'

/** The id of a job of many files that the request belongs to. */
export const partOfHeader = 'Filejobs-Part-Of'

/** For uploads and exports: limits the job to this many bytes per second from its first byte. */
export const rateLimitHeader = 'Filejobs-Rate-Limit'

/**
 * Proves that the request comes from our own page: forms and scripts of other sites cannot send it. Its value is `1`.
 */
export const csrfHeader = 'Filejobs-Csrf'

/** The path of a file: each segment percent-encoded, slashes kept. */
export function filePath(name: string): string {
  return `${routes.files}/${encodeSegments(name)}`
}

/**
 * Parses a reference to published files: `ops:OPS`, `ops:OPS/` or `ops:OPS/NAME`. Undefined for the account's own
 * names.
 */
export function parsePublished(text: string): { ops: string; name: string } | undefined {
  const [, ops, name = ''] = /^ops:([^/]+)(?:\/(.*))?$/is.exec(text) ?? []
  return ops === undefined ? undefined : { ops, name }
}

/** The path of a file: the account's own, or one that an ops account publishes. */
export function exportPath(name: string): string {
  const published = parsePublished(name)
  return published?.name ? publishedPath(published.ops, published.name) : filePath(name)
}

/** The path of a file that an ops account publishes; of their list without `name`. */
export function publishedPath(ops: string, name?: string): string {
  const list = `${routes.published}/${encodeURIComponent(ops)}`
  return name === undefined ? list : `${list}/${encodeSegments(name)}`
}

/** The most bytes of one response to a GET for a file with `?preview`. */
export const maxPreviewBytes = 32 * 1024 ** 2

export function jobPath(
  id: string,
  action?: 'stop' | 'pause' | 'resume' | 'finish' | 'unchanged' | 'failed' | 'files' | 'archive',
): string {
  return action ? `${routes.jobs}/${id}/${action}` : `${routes.jobs}/${id}`
}

export function tablePath(table: string, part?: 'rows' | 'summary' | 'facets' | `imports/${number}`): string {
  const path = `${routes.tables}/${encodeURIComponent(table)}`
  return part ? `${path}/${part}` : path
}

function encodeSegments(name: string): string {
  return name.split('/').map(encodeURIComponent).join('/')
}
