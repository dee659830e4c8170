import { chmod, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { Caller } from '../../helpers/calls.js'
import { eventually } from '../../helpers/eventually.js'
import { startTestServer } from '../../helpers/server.js'
import { makeTable } from '../../helpers/tables.js'

it('an export of a table with a damaged file is cut, fails, and is logged with the reason', async () => {
  const server = await startTestServer({ shutdownGraceMs: 0 })
  onTestFinished(() => server.close())
  const ann = new Caller(server, await server.logIn('ann'))
  const { id } = await makeTable(ann, 'a', 'a,b\n1,x\n')
  const path = join(server.dataFolder, `tables/user/ann/a/${id}.parquet`)
  await chmod(path, 0o600)
  await writeFile(path, 'damaged')
  await expect(ann.call('/tables/a/rows', { headers: { Accept: 'text/csv' } })).rejects.toThrow()
  const job = await ann.findJob('kind=export', ({ endedAt }) => endedAt !== null)
  expect(job).toMatchObject({ state: 'failed', error: { code: 'internal' } })
  await eventually('it is logged', () => server.errors.length > 0)
  expect(server.errors).toEqual([expect.stringMatching(/^An export failed: \S/)])
})
