import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi'
import { routes } from '../../protocol/routes.js'
import { answerHeaders } from '../openapi/answer-headers.js'
import { apiDocument } from '../openapi/api-document.js'
import { docsPage } from '../openapi/docs-page.js'
import type { AppEnv } from '../routing/app-env.js'
import { answerStatic, staticFile } from './responses/static-file.js'

/** `/openapi.json`: the requests and responses of every route of `whole`; `/docs`: the same for people. */
export function documentRoutes(whole: OpenAPIHono<AppEnv>, version: string) {
  const app = new OpenAPIHono<AppEnv>()
  app.openAPIRegistry.registerPath(documentRoute)
  app.openAPIRegistry.registerPath(docsRoute)
  // At the first request, when all routes are mounted.
  let files: ReturnType<typeof renderFiles> | undefined
  const getFiles = () => {
    files ??= renderFiles(whole, version)
    return files
  }

  app.get(routes.apiDocument, async (c) => answerStatic(c, (await getFiles()).document))
  app.get(routes.docs, async (c) => {
    const { page, contentSecurityPolicy } = await getFiles()
    return answerStatic(c, page, {
      'Content-Security-Policy': contentSecurityPolicy,
      'Referrer-Policy': 'no-referrer',
    })
  })
  return app
}

async function renderFiles(whole: OpenAPIHono<AppEnv>, version: string) {
  const document = apiDocument(whole, version)
  const { html, contentSecurityPolicy } = docsPage(document)
  const [documentFile, page] = await Promise.all([
    staticFile('application/json', JSON.stringify(document)),
    staticFile('text/html; charset=utf-8', html),
  ])
  return { document: documentFile, page, contentSecurityPolicy }
}

const entityTagHeaders = z.object({
  'If-None-Match': z.string().optional().meta({ description: 'answers 304 for the version of that entity tag' }),
})

const headers = answerHeaders('ETag')

const documentRoute = createRoute({
  method: 'get',
  path: routes.apiDocument,
  summary: 'This document',
  request: { headers: entityTagHeaders },
  responses: {
    200: { description: 'OpenAPI 3.1', headers, content: { 'application/json': { schema: z.looseObject({}) } } },
    304: { description: 'Not modified', headers },
  },
})

const docsRoute = createRoute({
  method: 'get',
  path: routes.docs,
  summary: 'This document as a page',
  request: { headers: entityTagHeaders },
  responses: {
    200: { description: 'The page', headers, content: { 'text/html': { schema: z.string() } } },
    304: { description: 'Not modified', headers },
  },
})
