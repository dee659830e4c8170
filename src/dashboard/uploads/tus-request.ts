import { csrfHeader } from '../../protocol/routes.js'
import { type Refusal, refusalOf, Unreachable } from '../api.js'

export interface TusAnswer {
  status: number
  header(name: string): string | null
}

export interface TusRequest {
  headers?: Record<string, string>
  body?: Blob
  signal: AbortSignal
  /** Bytes that the browser has sent; they may not have arrived. */
  onSent?(bytes: number): void
}

/**
 * One request of tus 1.0.0. Uses XMLHttpRequest, because fetch does not report upload progress. Throws `Refusal`,
 * `Unreachable`, and the signal's reason.
 */
export function tusRequest(
  method: 'POST' | 'HEAD' | 'PATCH',
  path: string,
  { headers = {}, body, signal, onSent }: TusRequest,
): Promise<TusAnswer> {
  return new Promise((resolve, reject: (reason: Refusal | Unreachable | unknown) => void) => {
    if (signal.aborted) return reject(signal.reason)
    const request = new XMLHttpRequest()
    const abort = () => request.abort()
    request.open(method, path)
    for (const [name, value] of Object.entries({ 'Tus-Resumable': '1.0.0', [csrfHeader]: '1', ...headers })) {
      request.setRequestHeader(name, value)
    }
    if (body) request.setRequestHeader('Content-Type', 'application/offset+octet-stream')
    request.upload.onprogress = ({ loaded }) => onSent?.(loaded)
    request.onload = () => {
      if (request.status < 200 || request.status > 299) reject(refusalOf(request.status, request.responseText, path))
      else resolve({ status: request.status, header: (name) => request.getResponseHeader(name) })
    }
    request.onerror = () => reject(new Unreachable())
    request.onabort = () => reject(signal.reason)
    request.onloadend = () => signal.removeEventListener('abort', abort)
    signal.addEventListener('abort', abort)
    request.send(body)
  })
}
