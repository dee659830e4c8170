import { expect, test } from 'vitest'
import { checkMounted } from '../../../dist/server/routing/check-mounted.js'
import type { RouteEntry } from '../../../dist/server/routing/route-entry.js'

const entry: RouteEntry = { access: 'account', caching: 'private' }
const table = { 'GET /jobs/{id}': entry, 'PUT /files/{name}': entry, 'POST /files/{name}/move': entry }
const mounted = [
  { method: 'ALL', path: '/*' },
  { method: 'GET', path: '/jobs/:id' },
  { method: 'PUT', path: '/files/*' },
  { method: 'POST', path: '/files/*' },
]

test('the server starts if every route has an entry in the table of routes', () => {
  expect(() => checkMounted(mounted, table)).not.toThrow()
})

test('a route without an entry in the table of routes prevents the start', () => {
  expect(() => checkMounted([...mounted, { method: 'DELETE', path: '/jobs/:id' }], table)).toThrow(
    'Add to src/server/routing/route-table.ts what holds for DELETE /jobs/:id.',
  )
})

test('an entry of the table of routes without a route prevents the start', () => {
  expect(() => checkMounted(mounted.slice(2), table)).toThrow('Nothing serves GET /jobs/{id}.')
})

test('a route for all methods serves each of its entries, and a GET route serves HEAD', () => {
  const tus = { 'HEAD /tus/{id}': entry, 'PATCH /tus/{id}': entry, 'HEAD /x': entry }
  expect(() =>
    checkMounted(
      [
        { method: 'ALL', path: '/tus/:id' },
        { method: 'GET', path: '/x' },
      ],
      { ...tus, 'GET /x': entry },
    ),
  ).not.toThrow()
})
