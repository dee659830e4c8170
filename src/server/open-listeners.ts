import type { Closers } from './closers.js'
import type { ServerConfig } from './config.js'
import { descriptorLimit } from './http/descriptor-limit.js'
import { type Listener, type ListenerOptions, openListener } from './http/listener.js'
import { type Mount, mountListener } from './http/mounted-listener.js'
import type { Log } from './log.js'
import { urlHost } from './own-address.js'
import { openRedirect } from './redirect-http.js'

export interface Listeners {
  url: string
  /** Of a mounted server 0 while the other one does not listen. */
  port: number
  /** Where plain requests are redirected to `url`; null: nowhere. */
  redirectUrl: string | null
  /** Reads the certificate and its key again, and logs whether others are used from now on. */
  renewTls(): void
  /** Stops accepting connections and closes the idle ones. */
  refuseMore(): void
}

export interface ListenersOptions {
  config: ServerConfig
  log: Log
  closers: Closers
  fetch: ListenerOptions['fetch']
  /** In place of a port of its own. */
  mount: Mount | undefined
}

/** Opens the port of the server and, if it has one, that which redirects to it; or answers the requests of another server. */
export async function openListeners({ config, log, closers, fetch, mount }: ListenersOptions): Promise<Listeners> {
  if (mount) return listenersOf(closers.opened(mountListener(mount, fetch)), config)
  const { host, publicUrl, redirectHttpPort, tls, trustProxy } = config
  const descriptors = descriptorLimit()
  const listener = closers.opened(
    await openListener({
      ...{ host, port: config.port, tls, trustProxy, descriptors, fetch },
      onError: (error) => log.error('A connection could not be accepted', error),
      onTlsRenewed: ({ expiresAt }) =>
        log.info('New connections get a new certificate', { expiresAt: expiresAt.toISOString() }),
      onTlsKept: (error) => log.warn('The new certificate is not used, and the old one stays', error),
    }),
  )
  const listeners = listenersOf(listener, config)
  if (redirectHttpPort === null) return listeners
  const redirect = closers.opened(
    await openRedirect({
      ...{ host, publicUrl, port: redirectHttpPort, httpsPort: listener.port },
      descriptors: Math.ceil(descriptors / shareOfRedirects),
    }),
  )
  return { ...listeners, redirectUrl: `http://${urlHost(host)}:${redirect.port}` }
}

function listenersOf(listener: Listener, { tls, host }: ServerConfig): Listeners {
  const { port } = listener
  return {
    url: `${tls ? 'https' : 'http'}://${urlHost(host)}:${port}`,
    port,
    redirectUrl: null,
    renewTls: () => listener.renewTls(),
    refuseMore: () => listener.refuseMore(),
  }
}

/** They are answered at once. The descriptors are of those that are left for files. */
const shareOfRedirects = 16
