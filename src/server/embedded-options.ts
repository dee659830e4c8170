/** Bytes, or a text such as `500M`. */
export type Size = number | string
/** Milliseconds, or a text such as `10m`. */
export type Duration = number | string

/**
 * The options of `filejobs serve` by their names. Those that are left out have the defaults of the command line, which
 * depend on `host`: on a loopback address signup is open. The environment is not read.
 */
export interface ServerOptions {
  /** The data folder; with `database` a scratch folder. It is created if it is missing. */
  data: string
  /** The address to listen on; default `127.0.0.1`. */
  host?: string
  /** 0 means any free port; default 8080. */
  port?: number
  /** A file with the certificate, to serve HTTPS. */
  tlsCert?: string
  /** A file with its key. */
  tlsKey?: string
  /** With TLS, a port on which plain requests are redirected to https; default: none. Not of a mounted server. */
  redirectHttp?: number
  /** The number of proxies in front whose `X-Forwarded-*` headers are trusted; default 0. */
  trustProxy?: number
  /** The URL of the server as seen from outside. */
  publicUrl?: string
  /** The origins whose pages may use the server; `*` means any. */
  corsOrigin?: string | readonly string[]
  /** A PostgreSQL database that servers share. */
  database?: string
  /** A bucket that servers share. */
  bucket?: string
  /** With `database`, the space for uploads in the scratch folder; default `10G`. */
  scratchSize?: Size
  /** Where the other servers with the same database reach this one. */
  advertise?: string
  /** The time for transfers to finish when the server is closed; default `10s`. */
  shutdownGrace?: Duration
  /** A file with accounts to create at start. */
  users?: string
  /** `open`, `open:ROLE,…` or `closed`; default: open on a loopback host, else closed. */
  signup?: string
  /** The lifetime of a login; default `365d`. */
  sessionTtl?: Duration
  /** The cost of a password hash; default 12. */
  bcryptCost?: number
  /** Running jobs of a kind for each account; default 1. */
  jobsPerAccount?: number
  /** The largest file; default `none`. */
  maxFileSize?: Size
  /** The space of each account without a quota of its own; default `none`. */
  quota?: Size
  /** Bytes per second for each account; default `none`. */
  rateLimitPerAccount?: Size
  /** Ends a transfer that has moved no byte for this time; default `10m`. */
  idleTimeout?: Duration
  /** Ends a transfer that has been paused for this time; default `1h`. */
  maxPause?: Duration
  /** Keeps an interrupted upload for this time; default `24h`. */
  keepPartial?: Duration
  /** Whether SQL is allowed; default: on a loopback host. */
  query?: boolean
  /** With `database`, the space for copies of tables in the scratch folder; default `10G`. */
  tableCache?: Size
  /** The memory for imports; default `512M`. */
  importMemory?: Size
  /** The threads for imports; default 1. */
  importThreads?: number
  /** The largest file of an import once it is decompressed; default `10G`. */
  importMaxSize?: Size
  /** Ends an import that runs for this time; default `1h`. */
  importTimeout?: Duration
  /** A file with the token for `/metrics`. */
  metricsTokenFile?: string
  /** The token for `/metrics`. */
  metricsToken?: string
  /** The password of `admin:admin` at the first start; without it a random one, which is returned. */
  adminPassword?: string
  /** The key of the tokens, 32 bytes or more; without it the key in the data folder is used. */
  jwtSecret?: string
}

/** The variables from which the keys of a bucket are read: `process.env`, for those of the environment. */
export type BucketVariables = Readonly<Record<string, string | undefined>>

/** Receives what the command line prints to stderr. Never gets a token, a password or a file's content. */
export interface EmbeddedLog {
  /** Of audit lines, `details` has `audit: true`. */
  info(message: string, details?: Record<string, unknown>): void
  /** A non-essential operation failed. */
  warn(message: string, error: unknown): void
  error(message: string, error: unknown): void
}
