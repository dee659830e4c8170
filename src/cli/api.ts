import type { Got } from 'got'
import { type Api, createApi } from '../client/api.js'
import type { Transport } from '../client/transport.js'
import { isLoopbackHost } from '../protocol/loopback.js'
import { wordError } from './answers.js'

export interface GotApiOptions {
  server: string
  token?: string | undefined
  userAgent: string
}

/** Sends JSON requests by got. Throws a Problem for an error response, and a Failure that names the server if there is no response. */
export function createGotApi({ server, token, userAgent }: GotApiOptions): Api {
  const api = createApi({
    server,
    transport: gotTransport,
    token: async () => token,
    headers: { 'user-agent': userAgent },
  })
  return {
    server,
    send: <T>(...request: Parameters<Api['send']>) =>
      api.send<T>(...request).catch((error: unknown) => {
        throw wordError(server, error)
      }),
  }
}

/** Reads answers as a whole. */
const gotTransport: Transport = async (url, { method, headers, body, signal }) => {
  const got = await loadGot()
  const response = await got(url, {
    method: method as 'GET',
    headers,
    signal,
    // On the same machine, compressing a long list takes longer than sending it.
    decompress: !isLoopbackHost(new URL(url).hostname),
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : new Uint8Array(body) }),
  })
  return {
    status: response.statusCode,
    headers: { get: (name) => response.headers[name]?.toString() ?? null },
    body: null,
    text: async () => response.body,
  }
}

/** No retries: a request that changes something must not run twice. No redirects: the token is for this server only. */
async function loadGot(): Promise<Got> {
  const { got } = await import('got')
  return got.extend({ retry: { limit: 0 }, followRedirect: false, throwHttpErrors: false })
}
