import type { Api } from '../../client/api.js'
import { waitHeaders } from '../../client/transfer-options.js'
import { rateLimitHeader } from '../../protocol/routes.js'
import type { HttpClient } from '../http-client.js'
import type { Progress } from '../progress.js'

/** The dependencies of every transfer. */
export interface TransferTools {
  readonly http: HttpClient
  readonly api: Api
  readonly progress: Progress
  /** Tells the user something beside the result. */
  note(text: string): void
}

/** When to run a transfer, and how fast. */
export interface Pace {
  /** How long to wait for a slot; null does not wait. */
  readonly waitSeconds: number | null
  /** Bytes per second; null is unlimited. */
  readonly rateLimit: number | null
  /** Retries without progress before giving up. */
  readonly retries: number
}

export function paceHeaders({ waitSeconds, rateLimit }: Pace): Record<string, string> {
  return { ...waitHeaders(waitSeconds), ...(rateLimit === null ? {} : { [rateLimitHeader]: String(rateLimit) }) }
}
