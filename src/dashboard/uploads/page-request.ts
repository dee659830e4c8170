import { csrfHeader } from '../../protocol/routes.js'
import { type Refusal, refusalOf, Unreachable } from '../api.js'

export interface PageAnswer {
  header(name: string): string | null
  text: string
}

export interface PageRequest {
  headers?: Record<string, string>
  body?: Blob | Uint8Array<ArrayBuffer> | string
  signal: AbortSignal
  /** Bytes that the browser has sent; they may not have arrived. */
  onSent?(bytes: number): void
}

export type PageMethod = 'GET' | 'POST' | 'PUT' | 'HEAD' | 'PATCH'

/**
 * One request of an upload. Uses XMLHttpRequest, because fetch does not report upload progress. Throws `Refusal`,
 * `Unreachable`, and the signal's reason.
 */
export function pageRequest(
  method: PageMethod,
  path: string,
  { headers = {}, body, signal, onSent }: PageRequest,
): Promise<PageAnswer> {
  return new Promise((resolve, reject: (reason: Refusal | Unreachable | unknown) => void) => {
    if (signal.aborted) return reject(signal.reason)
    const request = new XMLHttpRequest()
    const abort = () => request.abort()
    request.open(method, path)
    for (const [name, value] of Object.entries({ [csrfHeader]: '1', ...headers })) {
      request.setRequestHeader(name, value)
    }
    request.upload.onprogress = ({ loaded }) => onSent?.(loaded)
    request.onload = () => {
      const { status, responseText: text } = request
      if (status < 200 || status > 299) reject(refusalOf(status, text, path))
      else resolve({ text, header: (name) => request.getResponseHeader(name) })
    }
    request.onerror = () => reject(new Unreachable())
    request.onabort = () => reject(signal.reason)
    request.onloadend = () => signal.removeEventListener('abort', abort)
    signal.addEventListener('abort', abort)
    request.send(body)
  })
}
