import { createRoute, OpenAPIHono } from '@hono/zod-openapi'
import { importCheckBodySchema, importCheckSchema } from '../../protocol/import-checks.js'
import { receiptsSchema } from '../../protocol/jobs.js'
import { Problem } from '../../protocol/problems.js'
import { jobHeader, jobPath, routes } from '../../protocol/routes.js'
import { importAnswerSchema, importSchema } from '../../protocol/tables.js'
import { hangUpSignal } from '../http/connection.js'
import type { Jobs } from '../jobs/jobs.js'
import { answerHeaders } from '../openapi/answer-headers.js'
import { problemResponses, receiptsOf } from '../openapi/answers.js'
import { jobHeaders } from '../openapi/request-headers.js'
import type { AppEnv } from '../routing/app-env.js'
import type { StoredImport } from '../stores/tables.js'
import { parseCsvOptions } from '../tables/csv-body.js'
import type { Imports } from '../tables/imports.js'
import { readJson } from './bodies/json-body.js'
import { parseName } from './headers/names.js'
import { jobIdOf, waitOf } from './headers/preferences.js'
import { slotWaitOf } from './headers/slot-wait.js'
import { importRecord } from './responses/table-answers.js'

/**
 * `POST /import` imports a file into a table; `POST /import/check` lists its faults; `POST /import/stop` stops all running ones of
 * the account.
 */
export function importRoutes({ imports, jobs }: { imports: Imports; jobs: Jobs }) {
  const app = new OpenAPIHono<AppEnv>()

  app.openAPIRegistry.registerPath(importRoute)
  app.post(routes.import, async (c) => {
    const identity = c.get('identity')
    const startedAt = performance.now()
    const waitMs = waitOf(c.req.header('prefer'))
    const jobId = jobIdOf(c.req.header(jobHeader))
    const body = await readJson(c.env.incoming, importSchema)
    const { filename, filenames, table, replace, once, skipBadLines, trim, ...options } = body
    const { job, imported } = await imports.start({
      identity,
      filenames: namesOf(filename, filenames),
      table,
      replaces: replace,
      once,
      skipBadLines,
      trim,
      csvOptions: parseCsvOptions(options),
      jobId,
      waitMs,
      left: hangUpSignal(c.env.outgoing),
    })
    // Also if the response is a problem.
    c.header(jobHeader, job.id)
    const done = await settled(imported, waitMs - (performance.now() - startedAt))
    const records = done?.map(importRecord) ?? null
    const answer = { ...job.record(), import: records?.[0] ?? null, imports: records }
    return c.json(answer, done ? 200 : 202, { [jobHeader]: job.id, Location: jobPath(job.id) })
  })

  app.openAPIRegistry.registerPath(checkRoute)
  app.post(routes.importCheck, async (c) => {
    const body = await readJson(c.env.incoming, importCheckBodySchema)
    const { filename, table, replace, trim, preview: wantsPreview = false, ...options } = body
    const { preview, ...checked } = await imports.check({
      identity: c.get('identity'),
      filename: parseName(filename),
      table,
      replaces: replace,
      trim,
      csvOptions: parseCsvOptions(options),
      jobId: jobIdOf(c.req.header(jobHeader)),
      waitMs: slotWaitOf(c.env.incoming),
      left: hangUpSignal(c.env.outgoing),
      begin: (job) => c.header(jobHeader, job.id),
    })
    return c.json(wantsPreview ? { ...checked, preview } : checked, 200)
  })

  app.openapi(
    createRoute({
      method: 'post',
      path: routes.importStop,
      summary: 'Stop my running imports',
      responses: {
        200: { description: 'Stopped', content: { 'application/json': { schema: receiptsSchema } } },
        ...problemResponses(401, 404, 409),
      },
    }),
    async (c) => {
      return c.json(receiptsOf(await jobs.stopAll('import', c.get('identity').account)), 200)
    },
  )
  return app
}

/** The result of the import, or undefined if the wait ends first. */
async function settled(imported: Promise<StoredImport[]>, waitMs: number): Promise<StoredImport[] | undefined> {
  if (waitMs <= 0) return undefined
  let timer: NodeJS.Timeout | undefined
  const over = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), waitMs)
  })
  try {
    return await Promise.race([imported, over])
  } finally {
    clearTimeout(timer)
  }
}

function namesOf(filename: string | undefined, filenames: readonly string[] | undefined): string[] {
  if ((filename === undefined) === (filenames === undefined)) {
    throw new Problem('invalid-request', 'filename: name one file by it, or several by filenames.', {
      field: 'filename',
    })
  }
  const names = (filenames ?? [filename!]).map(parseName)
  const twice = names.find((name, at) => names.indexOf(name) < at)
  if (twice === undefined) return names
  throw new Problem('invalid-request', `filenames: "${twice}" is there twice.`, { field: 'filenames' })
}

const answers = { 'application/json': { schema: importAnswerSchema } }
const headers = answerHeaders(jobHeader, 'Location')
const importRoute = createRoute({
  method: 'post',
  path: routes.import,
  summary: 'Import a file into a table',
  description:
    'CSV, JSON, NDJSON or Parquet, also compressed with gzip, by its content. Strict: a ragged line, a value that does not fit its column, or an invalid byte fails it, and no row is published. ' +
    '`Prefer: wait=SECONDS` waits for the slot and the end. Of several files all rows are published together.',
  request: { headers: jobHeaders, body: { content: { 'application/json': { schema: importSchema } } } },
  responses: {
    200: { description: 'Imported, after `Prefer: wait`', headers, content: answers },
    202: { description: 'Running: see its Location', headers, content: answers },
    ...problemResponses(400, 401, 403, 404, 409, 413, 415, 422, 501, 503, 507),
  },
})
const checkRoute = createRoute({
  method: 'post',
  path: routes.importCheck,
  summary: 'List the faults of a file',
  description:
    'Reads a whole file as an import with the same options would, and lists up to 1,000 faults; nothing is imported. It is a job of the kind `import`, which ends ' +
    'with the connection of the request.',
  request: { headers: jobHeaders, body: { content: { 'application/json': { schema: importCheckBodySchema } } } },
  responses: {
    200: {
      description: 'The faults; none if the file can be imported',
      headers: answerHeaders(jobHeader),
      content: { 'application/json': { schema: importCheckSchema } },
    },
    ...problemResponses(400, 401, 403, 404, 409, 413, 415, 422, 501, 503, 507),
  },
})
