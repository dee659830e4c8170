import type { OpenAPIHono } from '@hono/zod-openapi'
import { type ProblemCode, problems } from '../../protocol/problems.js'
import { jobHeader, routes } from '../../protocol/routes.js'
import type { AppEnv } from '../routing/app-env.js'
import type { RouteEntry, RouteKey } from '../routing/route-entry.js'
import { routeTable } from '../routing/route-table.js'
import { answerHeaders, type HeaderObject } from './answer-headers.js'
import { problemResponses } from './answers.js'

/** The parts of an OpenAPI 3.1 document that are used here. */
export interface ApiDocument {
  openapi: string
  info: { title: string; version: string; description: string }
  tags: { name: string; description: string }[]
  paths: Record<string, Record<string, Operation>>
  components: { schemas: Record<string, Schema>; securitySchemes: Record<string, unknown> }
}

export interface Operation {
  operationId?: string
  summary?: string
  description?: string
  tags?: string[]
  security?: Record<string, string[]>[]
  parameters?: { name: string; in: string; description?: string; required?: boolean; schema: Schema }[]
  requestBody?: { required?: boolean; content: Content }
  responses: Record<string, { description: string; headers?: Record<string, HeaderObject>; content?: Content }>
}

export type Content = Record<
  string,
  { schema: Schema; examples?: Record<string, { summary?: string; value: unknown }> }
>

export interface Schema {
  $ref?: string
  type?: string | string[]
  format?: string
  description?: string
  enum?: unknown[]
  pattern?: string
  example?: unknown
  properties?: Record<string, Schema>
  required?: string[]
  items?: Schema
  additionalProperties?: Schema | boolean
  anyOf?: Schema[]
  allOf?: Schema[]
}

/** Describes every declared route of the app, by the schemas that validate its requests. */
export function apiDocument(app: OpenAPIHono<AppEnv>, version: string): ApiDocument {
  const document = app.getOpenAPI31Document({
    openapi: '3.1.0',
    info: { title: 'filejobs', version, description: overview(), license: { name: 'MIT' } },
    servers: [{ url: '/' }],
    security: [{ bearer: [] }, { auth_token: [] }, { cookie: [] }],
  }) as unknown as ApiDocument
  document.components.securitySchemes = {
    bearer: { type: 'http', scheme: 'bearer', description: 'The token of a login.' },
    auth_token: { type: 'apiKey', in: 'header', name: 'auth_token', description: 'The same token.' },
    cookie: {
      type: 'apiKey',
      in: 'cookie',
      name: 'filejobs',
      description:
        'The cookie of `POST /auth/cookie`, for pages of this server: `filejobs-PORT` where the port is not the default ' +
        'one, `__Host-` before it with TLS. What changes something needs the header `Filejobs-Csrf: 1` and our own `Origin`.',
    },
  }
  document.tags = Object.entries(tags).map(([name, description]) => ({ name, description }))
  for (const [path, operations] of Object.entries(document.paths)) {
    for (const [method, operation] of Object.entries(operations)) complete(operation, method, path)
  }
  return document
}

/**
 * Adds the rules of the table of routes (the name, the access, the errors before the handler), the group, and examples.
 */
function complete(operation: Operation, method: string, path: string): void {
  const entry: RouteEntry | undefined = routeEntries[`${method.toUpperCase()} ${path}` as RouteKey]
  operation.tags = [tagOf(path)]
  const refusals = operation.requestBody?.content['application/json'] ? [400, 413, 415] : []
  // OPTIONS has no entry: every path answers it, for everyone.
  if (method !== 'options') {
    if (!entry?.operationId) throw new Error(`Name the operation of ${method} ${path} in the table of routes.`)
    operation.operationId = entry.operationId
    if (entry.access === 'open') operation.security = []
    else refusals.push(401)
    // Also for pages of other origins.
    if (entry.access !== 'open' || method !== 'get') refusals.push(403)
  }
  for (const status of refusals) operation.responses[status] ??= refusal(status)
  if (operation.requestBody) operation.requestBody.required ??= true
  const concernsJob = Object.values(operation.responses).some(({ headers }) => headers && jobHeader in headers)
  for (const [status, response] of Object.entries(operation.responses)) {
    const problem = response.content?.['application/problem+json']
    if (problem) problem.examples = problemExamples(Number(status))
    const headers = { ...refusalHeaders(Number(status), concernsJob), ...tusHeaders(status, path), ...response.headers }
    if (Object.keys(headers).length > 0) response.headers = headers
  }
}

/** The headers of error responses (`problems.ts`). */
function refusalHeaders(status: number, concernsJob: boolean): Record<string, HeaderObject> {
  if (status < 400) return {}
  return {
    ...(status === 401 ? answerHeaders('WWW-Authenticate') : {}),
    ...(status === 416 ? answerHeaders('Content-Range') : {}),
    ...([423, 429, 503].includes(status) ? answerHeaders('Retry-After') : {}),
    ...(concernsJob ? answerHeaders(jobHeader) : {}),
  }
}

function tusHeaders(status: string, path: string): Record<string, HeaderObject> {
  if (!path.startsWith(routes.tus) && !path.startsWith(`${routes.request}/{token}/tus`)) return {}
  return answerHeaders('Tus-Resumable', ...(status === '412' ? ['Tus-Version' as const] : []))
}

function refusal(status: number) {
  const { description } = problemResponses(status)[status]!
  const schema = { $ref: '#/components/schemas/Problem' }
  return { description, content: { 'application/problem+json': { schema } } }
}

function problemExamples(status: number) {
  const codes = (Object.keys(problems) as ProblemCode[]).filter((code) => problems[code].status === status)
  return Object.fromEntries(
    codes.map((code) => {
      const { title } = problems[code]
      const body = { type: `urn:filejobs:problem:${code}`, title, status, detail: title, code, message: title }
      return [code, { summary: title, value: body }]
    }),
  )
}

const routeEntries: Readonly<Record<RouteKey, RouteEntry>> = routeTable

const tags = {
  Accounts: 'Signing up, logging in, sessions, and what an admin does to accounts.',
  Files: 'Uploading, exporting, listing, renaming, removing.',
  Jobs: 'Every transfer is a job that can be watched, paused, resumed, paced and stopped.',
  Tables: 'CSV files imported as rows that can be asked for.',
  Shares: 'Links to files that work without an account.',
  Requests: 'Links by which people without an account send files.',
  Server: 'Its health, its metrics and this document.',
} as const

function tagOf(path: string): keyof typeof tags {
  const first = path.split('/')[1]!
  return (
    (Object.keys(firstSegments) as (keyof typeof tags)[]).find((tag) => firstSegments[tag].includes(first)) ?? 'Server'
  )
}

const firstSegments: Record<keyof typeof tags, string[]> = {
  Accounts: ['auth', 'accounts', 'invitations'],
  Files: ['files', 'upload', 'export', 'tus', 'published'],
  Jobs: ['jobs'],
  Tables: ['tables', 'import', 'query'],
  Shares: ['shares', 's'],
  Requests: ['requests', 'r'],
  Server: [],
}

function overview(): string {
  const rows = Object.entries(problems).map(([code, { status, title }]) => `| \`${code}\` | ${status} | ${title} |`)
  return `Moves files and tables in and out of a machine. Every transfer is a job; a stop is answered only after the
transfer is dead and nothing of it is left.

The token of a login goes into \`Authorization: Bearer TOKEN\`, or into the header \`auth_token\`. JSON bodies need
\`Content-Type: application/json\` and have at most 64 KiB. Times are RFC 3339 in UTC, sizes are bytes, rates are bytes per
second. A request may choose its job's id by \`Filejobs-Job: UUID\`; every answer that concerns a job bears that header.
\`Prefer: wait=SECONDS\` waits for the slot while another job is running.

Errors are \`application/problem+json\` (RFC 9457) with a \`code\`:

| code | status | meaning |
|---|---|---|
${rows.join('\n')}`
}
