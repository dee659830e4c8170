import type { Server as HttpServer } from 'node:http'
import type { Server as HttpsServer } from 'node:https'
import { embeddedConfig } from './embedded-config.js'
import type { BucketVariables, EmbeddedLog, ServerOptions } from './embedded-options.js'
import { auditMessage, type Log } from './log.js'
import { type RunningServer, startServer } from './start.js'

export type { BucketVariables, Duration, EmbeddedLog, ServerOptions, Size } from './embedded-options.js'
export { mountEmbedded as mountServer, startEmbedded as startServer }

interface EmbeddingOptions extends ServerOptions {
  /** Receives what the command line prints to stderr; default: nothing does. */
  log?: EmbeddedLog
  /** Default: none. */
  bucketVariables?: BucketVariables
}

/** A server that runs in this process. */
export interface EmbeddedServer {
  /** Such as `http://127.0.0.1:8080`. */
  readonly url: string
  readonly port: number
  /** The random password of `admin:admin`, if this start has created the account; otherwise null. */
  readonly firstAdminPassword: string | null
  /** Lets transfers finish for `shutdownGrace`, then stops them, and releases the data folder, the port and all threads. */
  close(): Promise<void>
}

/** A server that answers the requests of an HTTP server of this process. */
export interface MountedServer extends Pick<EmbeddedServer, 'firstAdminPassword' | 'close'> {}

/**
 * Starts a server in this process, and resolves once it answers requests. It leaves the process alone: no signals, no
 * output, no flags of V8. Throws an error with a `code` such as `invalid-request` if an option is wrong, and one with advice
 * if the port or the data folder is in use.
 */
async function startEmbedded(options: EmbeddingOptions): Promise<EmbeddedServer> {
  return start(options)
}

/**
 * Starts a server that answers the requests of `server` whose path is `path` or below it; default: all. The other requests go
 * to the listeners that `server` has now. Its `requestTimeout` becomes 0, because an upload may take days. `host` and
 * `port` are not used to listen: `host` decides the defaults, and is `0.0.0.0` unless it is given.
 */
async function mountEmbedded(
  server: HttpServer | HttpsServer,
  { path = '', ...options }: EmbeddingOptions & { path?: string },
): Promise<MountedServer> {
  if (!/^(\/[\w.~-]+)*$/.test(path)) throw new TypeError(`The path must be such as /files, not ${path}.`)
  const { firstAdminPassword, close } = await start({ host: '0.0.0.0', ...options }, { server, path })
  return { firstAdminPassword, close }
}

function start(
  { log = silent, bucketVariables = {}, ...options }: EmbeddingOptions,
  mount?: { server: HttpServer | HttpsServer; path: string },
): Promise<RunningServer> {
  return startServer(embeddedConfig(options, bucketVariables), logTo(log), { mount })
}

/** Audit lines are information there, with `audit: true` in the details. */
function logTo(log: EmbeddedLog): Log {
  return {
    info: (message, details) => log.info(message, details),
    audit: (event, record) => log.info(auditMessage(event, record), { audit: true, event, ...record }),
    warn: (message, error) => log.warn(message, error),
    error: (message, error) => log.error(message, error),
  }
}

const silent: EmbeddedLog = { info() {}, warn() {}, error() {} }
