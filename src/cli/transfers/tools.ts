import { rateLimitHeader } from '../../protocol/routes.js'
import type { Api } from '../api.js'
import type { HttpClient } from '../http-client.js'
import type { Progress } from '../progress.js'
import { waitHeaders } from '../wait-option.js'

/** What every transfer works with. */
export interface TransferTools {
  readonly http: HttpClient
  readonly api: Api
  readonly progress: Progress
  /** Tells the user something beside the result. */
  note(text: string): void
}

/** When and how fast a transfer is to run. */
export interface Pace {
  /** How long to wait for its turn; null is not at all. */
  readonly waitSeconds: number | null
  /** Bytes per second; null is as fast as it goes. */
  readonly rateLimit: number | null
  /** How often in a row to try again without a byte of progress. */
  readonly retries: number
}

export function paceHeaders({ waitSeconds, rateLimit }: Pace): Record<string, string> {
  return { ...waitHeaders(waitSeconds), ...(rateLimit === null ? {} : { [rateLimitHeader]: String(rateLimit) }) }
}
