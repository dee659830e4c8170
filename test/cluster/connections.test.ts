import { describe, expect, it } from 'vitest'
import { emptyDatabase, hasDatabase } from './helpers/database.js'
import { startDatabaseProxy } from './helpers/database-proxy.js'

describe.skipIf(!hasDatabase)('a connection to the database', () => {
  it('sends nothing of its own while it is set up, whose failure would end the process', async () => {
    const database = await emptyDatabase()
    const proxy = await startDatabaseProxy(database.url)
    proxy.resetBy = 'pg_type'
    const sql = database.connect(1, proxy.url)
    expect(await sql`select 1 as one`).toEqual([{ one: 1 }])
    proxy.resetBy = 'two'
    await expect(sql`select 2 as two`).rejects.toMatchObject({
      code: expect.stringMatching(/ECONNRESET|CONNECTION_CLOSED/),
    })
  })

  it('passes lists of texts and numbers', async () => {
    const sql = (await emptyDatabase()).connect()
    const texts = ['a,b', '"quoted"', 'back\\slash', '', '{}', 'null', 'ü 𝄞', null]
    const rows = await sql<{ text: string | null }[]>`select text from unnest(${texts as string[]}::text[]) as text`
    expect(rows.map(({ text }) => text)).toEqual(texts)
    expect(await sql`select 2::bigint = any(${[1, 2]}) as is_in, 'x' = any(${[] as string[]}) as is_empty`).toEqual([
      { isIn: true, isEmpty: false },
    ])
    const big = Number.MAX_SAFE_INTEGER
    expect(await sql`select n from unnest(${[big, -1]}::bigint[]) as n`).toEqual([{ n: big }, { n: -1 }])
  })
})
