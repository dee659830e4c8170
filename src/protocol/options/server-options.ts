import { asAdminPassword, asJwtSecret, asSignupRoles } from './option-access.js'
import { logFormats, logLevels } from './option-log.js'
import { asBucketUrl, asDatabaseUrl, asOrigins, asPublicUrl } from './option-urls.js'
import {
  asChoice,
  asDuration,
  asInteger,
  asSize,
  asSizeLimit,
  asSwitch,
  asText,
  asTimeLimit,
  day,
  longestTimer,
  type OptionParser,
} from './option-values.js'

/** One option of `filejobs serve`. Its flag and its variable follow from its name: `maxPause`, `--max-pause`, `FILEJOBS_MAX_PAUSE`. */
export interface ServerOption<T = unknown> {
  readonly group: OptionGroup
  /** What the value is called in the help: `--max-pause <time>`. */
  readonly value: string
  readonly meaning: string
  /** As a user would write it. Null: unset. */
  readonly default: string | { readonly onLoopback: string; readonly elsewhere: string } | null
  readonly parse: OptionParser<T>
  /** Only the variable is accepted, because every user of the machine can read the arguments of a process. The advice for who used the flag. */
  readonly environmentOnly?: string
}

export type OptionGroup = 'Server' | 'Accounts' | 'Limits' | 'Tables' | 'Secrets'

/** Every option of the server: the command line, the environment, the help and docs/deploy.md follow from this table. */
export const serverOptions = {
  host: {
    group: 'Server',
    value: 'address',
    meaning: 'address to listen on',
    default: '127.0.0.1',
    parse: asText,
  },
  port: {
    group: 'Server',
    value: 'number',
    meaning: 'port to listen on; 0 means any free port',
    default: '8080',
    parse: asInteger({ least: 0, most: 65_535 }),
  },
  tlsCert: { group: 'Server', value: 'file', meaning: 'certificate, to serve HTTPS', default: null, parse: asText },
  tlsKey: { group: 'Server', value: 'file', meaning: 'key of the certificate', default: null, parse: asText },
  redirectHttp: {
    group: 'Server',
    value: 'port',
    meaning: 'port on which requests without TLS are redirected to https',
    default: null,
    parse: asInteger({ least: 0, most: 65_535 }),
  },
  trustProxy: {
    group: 'Server',
    value: 'number',
    meaning: 'number of proxies in front whose X-Forwarded-* headers are trusted',
    default: '0',
    parse: asInteger({ least: 0, most: 100 }),
  },
  publicUrl: {
    group: 'Server',
    value: 'url',
    meaning: 'URL of the server as seen from outside',
    default: null,
    parse: asPublicUrl,
  },
  corsOrigin: {
    group: 'Server',
    value: 'origin',
    meaning: 'origins whose pages may use the server, separated by commas; * means any',
    default: null,
    parse: asOrigins,
  },
  data: {
    group: 'Server',
    value: 'folder',
    meaning: 'data folder; with --database a scratch folder',
    default: './filejobs-data',
    parse: asText,
  },
  database: {
    group: 'Server',
    value: 'url',
    meaning: 'PostgreSQL database that servers share: postgres://USER@HOST/NAME',
    default: null,
    parse: asDatabaseUrl,
  },
  bucket: {
    group: 'Server',
    value: 'url',
    meaning: 'bucket that servers share: s3://NAME/PREFIX?endpoint=URL',
    default: null,
    parse: asBucketUrl,
  },
  scratchSize: {
    group: 'Server',
    value: 'size',
    meaning: 'with --database, space for uploads in the scratch folder',
    default: '10G',
    parse: asSize,
  },
  advertise: {
    group: 'Server',
    value: 'url',
    meaning: 'where the other servers with the same --database reach this one',
    default: null,
    parse: asPublicUrl,
  },
  shutdownGrace: {
    group: 'Server',
    value: 'time',
    meaning: 'time for transfers to finish when the server shuts down',
    default: '10s',
    parse: asDuration({ least: 0, most: longestTimer }),
  },
  logLevel: {
    group: 'Server',
    value: 'level',
    meaning: 'lines of the log: info (all), warn or error; audit lines are always written',
    default: 'info',
    parse: asChoice(logLevels),
  },
  logFormat: {
    group: 'Server',
    value: 'format',
    meaning: 'json or text; unset, text on a terminal and else json',
    default: null,
    parse: asChoice(logFormats),
  },
  users: {
    group: 'Accounts',
    value: 'file',
    meaning: 'accounts to create at start',
    default: null,
    parse: asText,
  },
  signup: {
    group: 'Accounts',
    value: 'policy',
    meaning: 'who may sign up: open, open:ROLE,… or closed',
    default: { onLoopback: 'open', elsewhere: 'closed' },
    parse: asSignupRoles,
  },
  sessionTtl: {
    group: 'Accounts',
    value: 'time',
    meaning: 'lifetime of a login',
    default: '365d',
    parse: asDuration({ least: 1000, most: 3650 * day }),
  },
  bcryptCost: {
    group: 'Accounts',
    value: 'number',
    meaning: 'cost of a password hash',
    default: '12',
    parse: asInteger({ least: 4, most: 20 }),
  },
  jobsPerAccount: {
    group: 'Limits',
    value: 'number',
    meaning: 'running jobs of a kind for each account',
    default: '1',
    parse: asInteger({ least: 1, most: 1000 }),
  },
  maxFileSize: { group: 'Limits', value: 'size', meaning: 'largest file', default: 'none', parse: asSizeLimit },
  quota: {
    group: 'Limits',
    value: 'size',
    meaning: 'space for the files and tables of each account without a quota of its own',
    default: 'none',
    parse: asSizeLimit,
  },
  rateLimitPerAccount: {
    group: 'Limits',
    value: 'rate',
    meaning: 'bytes per second for each account',
    default: 'none',
    parse: asSizeLimit,
  },
  idleTimeout: {
    group: 'Limits',
    value: 'time',
    meaning: 'end a transfer that has moved no byte for this time',
    default: '10m',
    parse: asDuration({ least: 1, most: longestTimer }),
  },
  maxPause: {
    group: 'Limits',
    value: 'time',
    meaning: 'end a transfer that has been paused for this time',
    default: '1h',
    parse: asDuration({ least: 1, most: longestTimer }),
  },
  keepPartial: {
    group: 'Limits',
    value: 'time',
    meaning: 'keep an interrupted upload for this time',
    default: '24h',
    parse: asDuration({ least: 1, most: 3650 * day }),
  },
  query: {
    group: 'Tables',
    value: 'policy',
    meaning: 'SQL queries: on or off',
    default: { onLoopback: 'on', elsewhere: 'off' },
    parse: asSwitch,
  },
  tableCache: {
    group: 'Tables',
    value: 'size',
    meaning: 'with --database, space for copies of tables in the scratch folder',
    default: '10G',
    parse: asSize,
  },
  importMemory: { group: 'Tables', value: 'size', meaning: 'memory for imports', default: '512M', parse: asSize },
  importThreads: {
    group: 'Tables',
    value: 'number',
    meaning: 'threads for imports',
    default: '1',
    parse: asInteger({ least: 1, most: 256 }),
  },
  importMaxSize: {
    group: 'Tables',
    value: 'size',
    meaning: 'largest file of an import once it is decompressed',
    default: '10G',
    parse: asSize,
  },
  importTimeout: {
    group: 'Tables',
    value: 'time',
    meaning: 'end an import that runs for this time; none means no limit',
    default: '1h',
    parse: asTimeLimit({ least: 1, most: longestTimer }),
  },
  metricsTokenFile: {
    group: 'Secrets',
    value: 'file',
    meaning: 'file with the token for /metrics',
    default: null,
    parse: asText,
  },
  metricsToken: {
    group: 'Secrets',
    value: 'token',
    meaning: 'token for /metrics',
    default: null,
    parse: asText,
    environmentOnly: 'set FILEJOBS_METRICS_TOKEN, or use --metrics-token-file FILE',
  },
  adminPassword: {
    group: 'Secrets',
    value: 'password',
    meaning: 'password of admin:admin at the first start; a random one is printed without it',
    default: null,
    parse: asAdminPassword,
    environmentOnly: 'set FILEJOBS_ADMIN_PASSWORD',
  },
  jwtSecret: {
    group: 'Secrets',
    value: 'secret',
    meaning: 'key of the tokens, 32 bytes or more; without it the key in the data folder is used',
    default: null,
    parse: asJwtSecret,
    environmentOnly: 'set FILEJOBS_JWT_SECRET',
  },
} as const satisfies Record<string, ServerOption>

export type OptionName = keyof typeof serverOptions

/** `--max-pause` of `maxPause`. */
export function flagOf(name: OptionName): string {
  return `--${kebabOf(name)}`
}

/** `FILEJOBS_MAX_PAUSE` of `maxPause`. */
export function variableOf(name: OptionName): string {
  return `FILEJOBS_${kebabOf(name).replaceAll('-', '_').toUpperCase()}`
}

/** The default as the help and the docs show it; undefined where there is none. */
export function formatDefault({ default: value }: ServerOption): string | undefined {
  if (value === null) return undefined
  return typeof value === 'string' ? value : `${value.onLoopback} on a loopback host, else ${value.elsewhere}`
}

function kebabOf(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
}
