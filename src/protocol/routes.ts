/** The paths that both sides agree on. */
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
  upload: '/upload',
  uploadStop: '/upload/stop',
  export: '/export',
  exportStop: '/export/stop',
  files: '/files',
  import: '/import',
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
  apiDocument: '/openapi.json',
  docs: '/docs',
  shares: '/shares',
  shared: '/s',
} as const

/** Carries a job's id: from the client, to choose it (a UUID), and in every answer that concerns a job. */
export const jobHeader = 'Filejobs-Job'

/** Sent with an upload or an export: bytes per second that its job is limited to from its first byte on. */
export const rateLimitHeader = 'Filejobs-Rate-Limit'

/** Shows that a page of ours asks: a form or a script of another site cannot send it. Its value is `1`. */
export const csrfHeader = 'Filejobs-Csrf'

/** The path of a file: each segment percent-encoded, the slashes kept. */
export function filePath(name: string): string {
  return `${routes.files}/${encodeSegments(name)}`
}

/** What an ops account publishes, as clients write it: `ops:OPS`, `ops:OPS/` or `ops:OPS/NAME`. Undefined for names of one's own. */
export function parsePublished(text: string): { ops: string; name: string } | undefined {
  const [, ops, name = ''] = /^ops:([^/]+)(?:\/(.*))?$/is.exec(text) ?? []
  return ops === undefined ? undefined : { ops, name }
}

/** Where a file is to be had: one of one's own, or what an ops account publishes. */
export function exportPath(name: string): string {
  const published = parsePublished(name)
  return published?.name ? publishedPath(published.ops, published.name) : filePath(name)
}

/** The path of a file that an ops account publishes; of the list of them where `name` is left out. */
export function publishedPath(ops: string, name?: string): string {
  const list = `${routes.published}/${encodeURIComponent(ops)}`
  return name === undefined ? list : `${list}/${encodeSegments(name)}`
}

export function jobPath(id: string, action?: 'stop' | 'pause' | 'resume'): string {
  return action ? `${routes.jobs}/${id}/${action}` : `${routes.jobs}/${id}`
}

export function tablePath(table: string, part?: 'rows' | 'summary' | `imports/${number}`): string {
  const path = `${routes.tables}/${encodeURIComponent(table)}`
  return part ? `${path}/${part}` : path
}

function encodeSegments(name: string): string {
  return name.split('/').map(encodeURIComponent).join('/')
}
