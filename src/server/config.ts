import { readFileSync } from 'node:fs'
import { isLoopbackHost } from '../protocol/loopback.js'
import type { LogFormat, LogLevel } from '../protocol/options/option-log.js'
import { invalidOption } from '../protocol/options/option-values.js'
import { type EnvironmentVariables, type OptionFlags, readOptions } from '../protocol/options/read-options.js'
import type { Role } from '../protocol/roles.js'

export interface ClusterConfig {
  /** `postgres://…` */
  database: string
  /** `s3://…` */
  bucket: string
  /** Of the environment, for the keys of the bucket. */
  variables: EnvironmentVariables
  /** Where the other servers reach this one; null: at its host and port. */
  advertise: string | null
}

/** The settings of `filejobs serve`. Times in milliseconds, sizes in bytes, rates in bytes per second; null means no limit. */
export interface ServerConfig {
  host: string
  port: number
  dataFolder: string
  /** Where servers that share their stores have them; null for a server with its own data folder. */
  cluster: ClusterConfig | null
  usersFile: string | null
  /** The roles that can sign up; empty if signup is closed. */
  signupRoles: Role[]
  queryAllowed: boolean
  sessionTtlMs: number
  bcryptCost: number
  /** The number of trusted proxies in front. */
  trustProxy: number
  publicUrl: string | null
  corsOrigin: string | null
  jobsPerAccount: number
  maxFileSize: number | null
  quota: number | null
  rateLimitPerAccount: number | null
  idleTimeoutMs: number
  maxPauseMs: number
  keepPartialMs: number
  shutdownGraceMs: number
  /** Of tables that were fetched from a bucket and are not in use. */
  tableCacheBytes: number
  scratchBytes: number
  importMemoryBytes: number
  importThreads: number
  /** Of a file once it is decompressed. */
  importMaxBytes: number
  importTimeoutMs: number | null
  tls: { certFile: string; keyFile: string } | null
  /** Where plain requests are redirected to https; null: nowhere. */
  redirectHttpPort: number | null
  logLevel: LogLevel
  /** null: text on a terminal, else JSON. */
  logFormat: LogFormat | null
  metricsToken: string | null
  /** For the first start; null generates a random one. */
  adminPassword: string | null
  /** 32 bytes or more; null uses the key file in the data folder. */
  jwtSecret: string | null
}

/**
 * Reads the settings of `serve` by the table of options. A flag wins over its variable, and an empty variable counts as unset.
 * Throws `invalid-request`, naming the flag or the variable.
 */
export function parseConfig(flags: OptionFlags = {}, env: EnvironmentVariables = {}): ServerConfig {
  const host = readOptions(flags, env, false).get('host')
  // Generous on loopback, closed elsewhere.
  const options = readOptions(flags, env, isLoopbackHost(host))
  return {
    host,
    port: options.get('port'),
    dataFolder: options.get('data'),
    cluster: clusterOf(options, env),
    usersFile: options.get('users'),
    signupRoles: options.get('signup'),
    queryAllowed: options.get('query'),
    sessionTtlMs: options.get('sessionTtl'),
    bcryptCost: options.get('bcryptCost'),
    trustProxy: options.get('trustProxy'),
    publicUrl: options.get('publicUrl'),
    corsOrigin: options.get('corsOrigin'),
    jobsPerAccount: options.get('jobsPerAccount'),
    maxFileSize: options.get('maxFileSize'),
    quota: options.get('quota'),
    rateLimitPerAccount: options.get('rateLimitPerAccount'),
    idleTimeoutMs: options.get('idleTimeout'),
    maxPauseMs: options.get('maxPause'),
    keepPartialMs: options.get('keepPartial'),
    shutdownGraceMs: options.get('shutdownGrace'),
    tableCacheBytes: options.get('tableCache'),
    scratchBytes: options.get('scratchSize'),
    importMemoryBytes: options.get('importMemory'),
    importThreads: options.get('importThreads'),
    importMaxBytes: options.get('importMaxSize'),
    importTimeoutMs: options.get('importTimeout'),
    tls: pairTls(options.get('tlsCert'), options.get('tlsKey')),
    redirectHttpPort: redirectOf(options),
    logLevel: options.get('logLevel'),
    logFormat: options.get('logFormat'),
    metricsToken:
      readSecret(options.get('metricsTokenFile'), options.sourceOf('metricsTokenFile')) ?? options.get('metricsToken'),
    adminPassword: options.get('adminPassword'),
    jwtSecret: options.get('jwtSecret'),
  }
}

function clusterOf(options: ReturnType<typeof readOptions>, variables: EnvironmentVariables): ClusterConfig | null {
  const [database, bucket, advertise] = [options.get('database'), options.get('bucket'), options.get('advertise')]
  if (database && bucket) return { database, bucket, variables, advertise }
  if (database) throw invalidOption('--bucket', 'is missing: servers with --database keep their files in a bucket')
  if (bucket) throw invalidOption('--database', 'is missing: servers with --bucket keep everything else in a database')
  if (advertise) throw invalidOption('--database', 'is missing: without it there are no other servers')
  return null
}

function pairTls(certFile: string | null, keyFile: string | null): ServerConfig['tls'] {
  if (certFile && keyFile) return { certFile, keyFile }
  if (certFile || keyFile)
    throw invalidOption(certFile ? '--tls-key' : '--tls-cert', 'is missing: TLS needs both files')
  return null
}

function redirectOf(options: ReturnType<typeof readOptions>): number | null {
  const port = options.get('redirectHttp')
  if (port === null) return null
  if (!options.get('tlsCert')) throw invalidOption('--tls-cert', 'is missing: there is no https to redirect to')
  if (port === options.get('port') && port !== 0) {
    throw invalidOption('--redirect-http', `must be another port than that of --port, ${port}`)
  }
  return port
}

function readSecret(path: string | null, source: string): string | null {
  if (path === null) return null
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    throw invalidOption(source, `cannot be read: ${error instanceof Error ? error.message : String(error)}`)
  }
  const secret = text.trim()
  if (/^\S+$/.test(secret)) return secret
  throw invalidOption(source, `must name a file that holds one word, the token, not ${path}`)
}
