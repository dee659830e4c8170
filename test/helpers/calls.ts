import { randomUUID } from 'node:crypto'
import http from 'node:http'
import https from 'node:https'
import type { JobRecord } from '../../dist/protocol/jobs.js'
import { eventually } from './eventually.js'

export interface Answer {
  status: number
  headers: http.IncomingHttpHeaders
  body: Buffer
  /** The body as JSON; undefined where it is none. */
  // biome-ignore lint/suspicious/noExplicitAny: a test looks at the members that it expects
  json: any
}

export interface CallOptions {
  method?: string
  headers?: http.OutgoingHttpHeaders
  body?: string | Uint8Array | object
}

/** An account's way to a server: requests whose path goes out exactly as it is given. */
export class Caller {
  readonly url: string
  readonly token: string

  constructor(server: { url: string }, token: string) {
    this.url = server.url
    this.token = token
  }

  /** One request on a connection of its own. An object as body goes out as JSON. */
  async call(path: string, options: CallOptions = {}): Promise<Answer> {
    const { body, headers = {} } = options
    const isJson = body !== undefined && typeof body !== 'string' && !(body instanceof Uint8Array)
    const bytes = isJson ? JSON.stringify(body) : (body as string | Uint8Array | undefined)
    const request = this.open(path, {
      ...options,
      headers: {
        ...(isJson ? { 'Content-Type': 'application/json' } : {}),
        ...(bytes === undefined ? {} : { 'Content-Length': Buffer.byteLength(bytes) }),
        ...headers,
      },
    })
    request.end(bytes)
    return answerOf(request)
  }

  /** A request whose body is the caller's to write. */
  open(path: string, { method = 'GET', headers = {} }: CallOptions = {}): http.ClientRequest {
    const { protocol, hostname, port } = new URL(this.url)
    const options = {
      hostname,
      port,
      path,
      method,
      agent: false as const,
      headers: { Authorization: `Bearer ${this.token}`, ...headers },
      rejectUnauthorized: false,
    }
    return protocol === 'https:' ? https.request(options) : http.request(options)
  }

  put(name: string, body: string | Uint8Array, headers: http.OutgoingHttpHeaders = {}): Promise<Answer> {
    return this.call(`/files/${name}`, { method: 'PUT', body, headers })
  }

  post(path: string, body?: object): Promise<Answer> {
    return this.call(path, { method: 'POST', body: body ?? '' })
  }

  /** The names of the account's files. */
  async names(): Promise<string[]> {
    const { json } = await this.call('/files?limit=1000')
    return json.files.map((file: { name: string }) => file.name)
  }

  async job(id: string): Promise<JobRecord> {
    return (await this.call(`/jobs/${id}`)).json
  }

  /** The account's newest job that `query` lets through, once there is one. */
  async findJob(query = 'state=running', when: (job: JobRecord) => boolean = () => true): Promise<JobRecord> {
    return eventually(`a job with ${query}`, async () => {
      const { json } = await this.call(`/jobs?${query}`)
      return (json.jobs as JobRecord[]).find(when)
    })
  }
}

/** Reads the whole answer. Rejects where the connection breaks before its end. */
export function answerOf(request: http.ClientRequest): Promise<Answer> {
  return new Promise((resolve, reject) => {
    request.on('error', reject)
    request.on('response', (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('error', reject)
      response.on('end', () => {
        const body = Buffer.concat(chunks)
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body, json: jsonOf(body) })
      })
    })
  })
}

function jsonOf(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString())
  } catch {
    return undefined
  }
}

/** An upload that a test holds open: it has declared a length, sent one byte, and runs as a job. */
export interface HeldUpload {
  id: string
  request: http.ClientRequest
  /** The server's answer, once there is one. */
  answer: Promise<Answer>
  /** Sends the rest. */
  finish(): void
}

/** Begins `PUT /files/NAME` with a body of `size` bytes of which one is sent, and waits until its job runs. */
export async function holdUpload(
  caller: Caller,
  name: string,
  {
    size = 100,
    id = randomUUID(),
    headers = {},
  }: { size?: number; id?: string; headers?: http.OutgoingHttpHeaders } = {},
): Promise<HeldUpload> {
  const request = caller.open(`/files/${name}`, {
    method: 'PUT',
    headers: { 'Content-Length': size, 'Filejobs-Job': id, ...headers },
  })
  const answer = answerOf(request)
  answer.catch(() => {})
  request.write('x')
  await eventually(`the upload of ${name} runs`, async () => (await caller.job(id)).bytes === 1)
  return { id, request, answer, finish: () => void request.end(Buffer.alloc(size - 1, 'x')) }
}
