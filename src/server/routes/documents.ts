import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi'
import { routes } from '../../protocol/routes.js'
import { type ApiDocument, apiDocument } from '../http/api-document.js'
import type { AppEnv } from '../http/app-env.js'
import { type DocsPage, docsPage } from '../http/docs-page.js'

/** `/openapi.json`: what every route of `whole` takes and answers; `/docs`: the same for people. */
export function documentRoutes(whole: OpenAPIHono<AppEnv>, version: string) {
  const app = new OpenAPIHono<AppEnv>()
  // At the first request, when all routes are there.
  let document: ApiDocument | undefined
  let page: DocsPage | undefined
  const getDocument = () => {
    document ??= apiDocument(whole, version)
    return document
  }

  app.openapi(documentRoute, (c) => c.json(getDocument(), 200))
  app.openapi(docsRoute, (c) => {
    page ??= docsPage(getDocument())
    return c.html(page.html, 200, {
      'Content-Security-Policy': page.contentSecurityPolicy,
      'X-Content-Type-Options': 'nosniff',
      'Referrer-Policy': 'no-referrer',
    })
  })
  return app
}

const documentRoute = createRoute({
  method: 'get',
  path: routes.apiDocument,
  summary: 'This document',
  responses: { 200: { description: 'OpenAPI 3.1', content: { 'application/json': { schema: z.looseObject({}) } } } },
})

const docsRoute = createRoute({
  method: 'get',
  path: routes.docs,
  summary: 'This document as a page',
  responses: { 200: { description: 'The page', content: { 'text/html': { schema: z.string() } } } },
})
