import fc from 'fast-check'
import { expect, it, onTestFinished } from 'vitest'
import { Caller } from '../helpers/calls.js'
import { expectSound, mutations } from '../helpers/fuzz.js'
import { checkAsync } from '../helpers/properties.js'
import { startTestServer } from '../helpers/server.js'
import { requestImport } from '../helpers/tables.js'
import { csvSeeds, csvTokens } from './corpus.js'

it('a CSV of any bytes is imported completely or rejected, and the server stays healthy', async () => {
  const server = await startTestServer({ shutdownGraceMs: 0 })
  onTestFinished(() => server.close())
  const ann = new Caller(server, await server.logIn('ann'))
  const statuses = new Map<string, number>()
  const options = fc.constantFrom({}, {}, { allText: true }, { skipBadLines: true }, { header: false }, { trim: true })
  const survives = fc.asyncProperty(mutations(csvSeeds, csvTokens), options, async (bytes, request) => {
    expect((await ann.put('t.csv', bytes)).status).toBeLessThan(300)
    const { status, json } = await requestImport(ann, { filename: 't.csv', table: 't', ...request })
    const outcome = status === 200 ? 'imported' : json.code
    statuses.set(outcome, (statuses.get(outcome) ?? 0) + 1)
    const table = await ann.call('/tables/t')
    if (status === 200) {
      expect(table.json).toMatchObject({ rows: json.import.rows })
      const { rows } = (await ann.post('/query', { sql: 'select count(*) as rows from t' })).json.results[0]
      expect(rows).toBe(json.import.rows)
      expect((await ann.call('/tables/t', { method: 'DELETE' })).status).toBe(204)
    } else {
      expect(outcome).not.toBe('internal')
      expect(status).toBeLessThan(500)
      expect(table.status).toBe(404)
    }
    await expectSound(server, ann)
  })
  await checkAsync(survives, 3)
  console.log(Object.fromEntries(statuses))
})
