import { beforeAll, describe, expect, it } from 'vitest'
import type { Caller } from '../../helpers/calls.js'
import { shareServer } from '../../helpers/shared-server.js'
import { makeTable } from '../../helpers/tables.js'

const shared = shareServer()
let ann: Caller

beforeAll(async () => {
  ann = await shared.newCaller()
  await makeTable(ann, 'pets', 'name,kind,born,kilos\nRex,dog,2020-01-02,7.5\nMia,cat,2021-03-04,\nTom,,2020-01-02,4\n')
  await makeTable(ann, 'pets', 'name,kind,born,kilos\nKim,dog,2022-05-06,7.5\n')
})

async function facets(query = '', caller = ann) {
  const { status, json } = await caller.call(`/tables/pets/facets${query}`)
  expect({ status, json }).toMatchObject({ status: 200 })
  return json
}

async function valuesOf(query: string): Promise<unknown[]> {
  return (await facets(query)).columns[0].values
}

describe('the facets of a table', () => {
  it('are the missing, distinct, least, greatest and most frequent values of each column, over all imports', async () => {
    expect(await facets()).toEqual({
      rows: 4,
      columns: [
        {
          name: 'name',
          type: 'text',
          missing: 0,
          distinct: 4,
          min: 'Kim',
          max: 'Tom',
          values: ['Kim', 'Mia', 'Rex', 'Tom'].map((value) => ({ value, rows: 1 })),
        },
        {
          name: 'kind',
          type: 'text',
          missing: 1,
          distinct: 2,
          min: 'cat',
          max: 'dog',
          values: [
            { value: 'dog', rows: 2 },
            { value: 'cat', rows: 1 },
          ],
        },
        {
          name: 'born',
          type: 'date',
          missing: 0,
          distinct: 3,
          min: '2020-01-02',
          max: '2022-05-06',
          values: [
            { value: '2020-01-02', rows: 2 },
            { value: '2021-03-04', rows: 1 },
            { value: '2022-05-06', rows: 1 },
          ],
        },
        {
          name: 'kilos',
          type: 'double',
          missing: 1,
          distinct: 2,
          min: 4,
          max: 7.5,
          values: [
            { value: 7.5, rows: 2 },
            { value: 4, rows: 1 },
          ],
        },
      ],
    })
  })

  it('follow the filters of the rows', async () => {
    expect(await valuesOf('?columns=name&where=kind%3Ddog')).toEqual([
      { value: 'Kim', rows: 1 },
      { value: 'Rex', rows: 1 },
    ])
    expect(await facets('?columns=kind&from=2021-01-01&to=2022-01-01')).toMatchObject({
      rows: 1,
      columns: [{ name: 'kind', distinct: 1, values: [{ value: 'cat', rows: 1 }] }],
    })
    expect(await facets('?columns=kind&where=name%3Dnobody')).toMatchObject({
      rows: 0,
      columns: [{ missing: 0, distinct: 0, min: null, max: null, values: [] }],
    })
  })

  it('have values that a condition finds again', async () => {
    for (const { name, values } of (await facets()).columns) {
      for (const { value, rows } of values) {
        const query = new URLSearchParams({ where: `${name}=${value}` })
        expect((await ann.call(`/tables/pets/rows?${query}`)).json.count, `${name}=${value}`).toBe(rows)
      }
    }
  })

  it('list as many values as requested, and none of a column with more than 1,000', async () => {
    expect(await valuesOf('?columns=name&limit=2')).toEqual([
      { value: 'Kim', rows: 1 },
      { value: 'Mia', rows: 1 },
    ])
    const caller = await shared.newCaller()
    const lines = Array.from({ length: 1001 }, (_, at) => `${at}\n`)
    await makeTable(caller, 'pets', `n\n${lines.join('')}`)
    expect(await facets('', caller)).toMatchObject({ columns: [{ distinct: 1001, min: 0, max: 1000, values: null }] })
  })

  it('leave out texts of more than 200 characters, and cut them where they are the least', async () => {
    const caller = await shared.newCaller()
    await makeTable(caller, 'pets', `t,n\n${'a'.repeat(300)},1\nb,2\n`)
    const [text] = (await facets('', caller)).columns
    expect(text).toMatchObject({ distinct: 2, min: 'a'.repeat(200), max: 'b', values: [{ value: 'b', rows: 1 }] })
  })

  it('count an empty text as missing', async () => {
    const caller = await shared.newCaller()
    await makeTable(caller, 'pets', '{"a":"","b":1}\n{"a":"x","b":2}\n')
    expect(await facets('?columns=a', caller)).toMatchObject({ columns: [{ missing: 1, distinct: 1, min: 'x' }] })
  })

  it.each(['?columns=wings', '?where=wings%3D2', '?limit=0', '?from=2020-13-01'])(
    'are refused for %s',
    async (query) => {
      expect((await ann.call(`/tables/pets/facets${query}`)).json).toMatchObject({
        status: 400,
        code: 'invalid-request',
      })
    },
  )

  it('are those of at most 100 columns', async () => {
    const caller = await shared.newCaller()
    const names = Array.from({ length: 101 }, (_, at) => `c${at}`)
    await makeTable(caller, 'pets', `${names}\n${names.map(() => 1)}\n`)
    expect((await facets('', caller)).columns).toHaveLength(100)
    expect((await facets('?columns=c100', caller)).columns).toMatchObject([{ name: 'c100' }])
    const refused = await caller.call(`/tables/pets/facets?columns=${names}`)
    expect(refused.json).toMatchObject({ status: 400, field: 'columns' })
  })

  it('are not sent again while the table is the same', async () => {
    const { headers } = await ann.call('/tables/pets/facets')
    const again = await ann.call('/tables/pets/facets', { headers: { 'If-None-Match': String(headers.etag) } })
    expect(again.status).toBe(304)
    const other = await ann.call('/tables/pets/facets?limit=1', { headers: { 'If-None-Match': String(headers.etag) } })
    expect(other.status).toBe(200)
  })

  it('of another account are answered as missing', async () => {
    const bob = await shared.newCaller()
    expect((await bob.call('/tables/pets/facets')).json).toMatchObject({ status: 404, code: 'table-not-found' })
  })
})
