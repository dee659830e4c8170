import { writeFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { Caller } from '../../helpers/calls.js'
import { type CurlAnswer, curl, describeWithCurl } from '../../helpers/curl.js'
import { holdNextImport } from '../../helpers/engines.js'
import { onOneServer } from '../../helpers/only-local.js'
import { salesCsv } from '../../helpers/sales.js'
import { shareServer } from '../../helpers/shared-server.js'
import { largeFile, slowly, untilMoving, untilState } from '../../helpers/slow-transfers.js'
import { partialNames } from '../../helpers/stored-state.js'
import { temporaryFolder } from '../../helpers/temporary-folder.js'

const forbidden = { detail: 'You do not have permission to perform this action.' }
const token = expect.stringMatching(/^[\w-]+\.[\w-]+\.[\w-]+$/)

describeWithCurl('the interface of collections', () => {
  const shared = shareServer()
  const at = (path: string) => shared.server.url + path
  const data = (path: string, fields: string) => curl(at(path), '--data', fields)
  const claimsOf = (jwt: string) => JSON.parse(Buffer.from(jwt.split('.')[1]!, 'base64url').toString())
  /** Makes a user and logs in. */
  const enter = async (username: string) => {
    expect((await data('/auth/users/', `username=${username}&password=12ab34cd`)).status).toBe(201)
    const { json } = await data('/token/', `username=${username}&password=12ab34cd`)
    return { access: json.access as string, as: ['-H', `Authorization: Bearer ${json.access}`] }
  }
  const rowsOf = async (access: string, table: string) => {
    const answer = await fetch(at(`/tables/${table}/rows?limit=1000`), {
      headers: { Authorization: `Bearer ${access}` },
    })
    return answer.ok ? ((await answer.json()) as { count: number; results: object[] }) : { count: 0, results: [] }
  }
  const contentOf = async (url: string, as: string[]) => (await curl(...as, url)).text

  test('answers its document request by request', async () => {
    const folder = await temporaryFolder()
    const sales = `${folder}/100000-Sales-Records.csv`
    await writeFile(sales, salesCsv(45))

    const user = await data('/auth/users/', 'username=bhavesh&email=bhaveshpraveen10@gmail.com&password=12ab34cd')
    expect(user).toMatchObject({
      status: 201,
      type: 'application/json',
      json: { id: expect.any(Number), username: 'bhavesh', email: 'bhaveshpraveen10@gmail.com' },
    })
    const pair = await data('/token/', 'username=bhavesh&&password=12ab34cd')
    expect(pair).toMatchObject({ status: 200, json: { refresh: token, access: token } })
    expect(claimsOf(pair.json.access).exp - Date.now() / 1000).toBeCloseTo(30 * 60, -1.5)
    expect(claimsOf(pair.json.refresh).exp - Date.now() / 1000).toBeCloseTo(24 * 3600, -1.5)
    const next = await data('/token/refresh/', `refresh=${pair.json.refresh}`)
    expect(next).toMatchObject({ status: 200, json: { access: token } })
    const { access } = next.json
    const as = ['-H', `Authorization: Bearer ${access}`]

    const uploaded = await curl('-F', `file=@${sales}`, at('/collect/baseline/'), ...as)
    expect(uploaded).toMatchObject({ status: 201, json: { id: 1 } })
    expect(uploaded.json.file).toBe(at('/files/collect/baseline/1/100000-Sales-Records.csv'))
    expect(await contentOf(uploaded.json.file, as)).toBe(salesCsv(45))
    await untilState(shared.server.url, access, 'import', 'done')
    expect((await rowsOf(access, 'collect_baseline')).count).toBe(45)

    expect(await curl('-X', 'GET', at('/collect/baseline/'), ...as)).toMatchObject({
      status: 200,
      json: { count: 1, next: null, previous: null, results: [uploaded.json] },
    })

    const rows = await curl(at('/collect/data/?from=2015-08-01'), ...as)
    expect(rows).toMatchObject({ status: 200, json: { count: 14, next: null, previous: null } })
    expect(rows.json.results).toHaveLength(14)
    expect(rows.json.results[0]).toMatchObject({
      data: {
        Region: 'Africa',
        'Order Date': '8/14/2015',
        'Ship Date': '8/21/2015',
        'Order ID': 700044,
        'Unit Cost': 97.44,
      },
      order_placed: '2015-08-14T00:00:00Z',
    })
    expect(rows.json.results.at(-1)).toMatchObject({ order_placed: '2015-08-01T00:00:00Z' })

    expect((await curl('-X', 'DELETE', at('/collect/baseline/1/'), ...as)).status).toBe(204)
    expect((await curl(...as, uploaded.json.file)).status).toBe(404)
    expect((await rowsOf(access, 'collect_baseline')).count).toBe(0)
    expect((await curl(at('/collect/data/?from=2015-08-01'), ...as)).json).toMatchObject({ count: 0, results: [] })

    const teams = `${folder}/team_data.csv`
    await writeFile(teams, 'team_name, manager_name, manager_phone_number\nSossetceh, Martin Mason ,(674) 566-5530\n')
    const team = await curl('-F', `file=@${teams}`, at('/collect/team/'), ...as)
    expect(team).toMatchObject({ status: 201, json: { id: 1, file: at('/files/collect/team/1/team_data.csv') } })
    await untilState(shared.server.url, access, 'import', 'done')
    expect((await rowsOf(access, 'collect_team')).results).toEqual([
      { team_name: 'Sossetceh', manager_name: 'Martin Mason', manager_phone_number: '(674) 566-5530' },
    ])
    expect((await curl('-X', 'DELETE', at('/collect/team/1/'), ...as)).status).toBe(204)
    expect((await rowsOf(access, 'collect_team')).count).toBe(0)
    expect((await curl(...as, team.json.file)).status).toBe(404)
  })

  onOneServer('it holds an import of the process of the test', () => {
    test('runs nothing beside an import but the removal of a team, which stops it', async () => {
      const { url, dataFolder } = shared.server
      const { access, as } = await enter('importer')
      const path = `${await temporaryFolder()}/teams.csv`
      await writeFile(path, 'team_name, manager_name, manager_phone_number\nSossetceh, Martin Mason ,(674) 566-5530\n')

      const baselineHeld = holdNextImport()
      const baseline = await curl('-F', `file=@${path}`, `${url}/collect/baseline/`, ...as)
      expect(baseline.status).toBe(201)
      await baselineHeld
      for (const other of ['baseline', 'team']) {
        const second = await curl('-F', `file=@${path}`, `${url}/collect/${other}/`, ...as)
        expect(second).toMatchObject({ status: 403, type: 'application/json', json: forbidden })
      }
      const removal = await curl('-X', 'DELETE', `${url}/collect/baseline/${baseline.json.id}/`, ...as)
      expect(removal).toMatchObject({ status: 403, json: forbidden })
      expect((await curl('-X', 'POST', ...as, `${url}/import/stop`)).status).toBe(200)
      expect((await curl('-X', 'DELETE', `${url}/collect/baseline/${baseline.json.id}/`, ...as)).status).toBe(204)

      const teamHeld = holdNextImport()
      const team = await curl('-F', `file=@${path}`, `${url}/collect/team/`, ...as)
      expect(team.status).toBe(201)
      await teamHeld
      expect((await curl('-X', 'DELETE', `${url}/collect/team/${team.json.id}/`, ...as)).status).toBe(204)
      const job = await untilState(url, access, 'import', 'stopped')
      expect(job).toMatchObject({ file: `collect/team/${team.json.id}/teams.csv`, stoppedBy: 'user:importer' })
      expect((await rowsOf(access, 'collect_team')).count).toBe(0)
      expect(await partialNames(dataFolder)).toEqual([])
      expect((await curl(`${url}/collect/team/`, ...as)).json).toMatchObject({ count: 0 })
    })
  })

  test('rejects an upload before reading its body while another one runs', async () => {
    const { url } = shared.server
    const { access, as } = await enter('uploader')
    const first = curl(...slowly, '-F', `file=@${await largeFile()}`, `${url}/collect/team/`, ...as)
    await untilMoving(url, access, 'upload')
    const second = await curl(
      '-H',
      'Expect: 100-continue',
      '-F',
      'file=@/dev/null;filename=a.csv',
      `${url}/collect/team/`,
      ...as,
    )
    expect(second).toMatchObject({ status: 403, json: forbidden })
    await curl('-X', 'POST', ...as, `${url}/upload/stop`)
    expect(await first).toMatchObject({ status: 409, json: { detail: expect.stringContaining('stopped') } })
  })

  test('numbers files, so that a repeated name gives two files, and lists them newest first by page', async () => {
    const { url } = shared.server
    const { access, as } = await enter('pager')
    const path = `${await temporaryFolder()}/same.csv`
    await writeFile(path, 'a,b\n1,x\n')
    const ids: number[] = []
    for (let round = 0; round < 2; round++) {
      const answer: CurlAnswer = await curl('-F', `file=@${path}`, `${url}/collect/baseline/`, ...as)
      ids.unshift(answer.json.id)
      await untilState(url, access, 'import', 'done')
    }
    // Files that were uploaded otherwise are listed too.
    for (let id = 990; id < 1000; id++) {
      await new Caller(shared.server, access).put(`collect/baseline/${id}/same.csv`, 'a,b\n1,x\n')
      ids.unshift(id)
    }
    ids.sort((a, b) => b - a)
    const first = (await curl(`${url}/collect/baseline/`, ...as)).json
    expect(first).toMatchObject({ count: 12, previous: null })
    expect(first.results.map(({ id }: { id: number }) => id)).toEqual(ids.slice(0, 10))
    const second = (await curl(first.next, ...as)).json
    expect(second).toMatchObject({ count: 12, next: null })
    expect(second.results.map(({ id }: { id: number }) => id)).toEqual(ids.slice(10))
    expect((await curl(second.previous, ...as)).json.results).toEqual(first.results)
    expect((await curl(`${url}/collect/baseline/?limit=5&offset=5`, ...as)).json.results).toHaveLength(5)
    // No column "Order Date": rows without a date, which no `from` matches.
    const rows = (await curl(`${url}/collect/data/?limit=2`, ...as)).json
    expect(rows).toMatchObject({ count: 2, results: [{ data: { a: 1, b: 'x' }, order_placed: null }, {}] })
    expect((await curl(`${url}/collect/data/?from=1970-01-01`, ...as)).json).toMatchObject({ count: 0, next: null })
  })

  test('separates the data of accounts', async () => {
    const { url } = shared.server
    const path = `${await temporaryFolder()}/own.csv`
    await writeFile(path, 'a\n1\n')
    const owner = await enter('owner')
    const other = await enter('other')
    const { id, file } = (await curl('-F', `file=@${path}`, `${url}/collect/team/`, ...owner.as)).json
    await untilState(url, owner.access, 'import', 'done')
    expect(await curl('-X', 'DELETE', `${url}/collect/team/${id}/`, ...other.as)).toMatchObject({
      status: 404,
      json: { detail: 'Not found.' },
    })
    expect((await curl(...other.as, file)).status).toBe(404)
    expect((await curl(`${url}/collect/team/`, ...other.as)).json).toMatchObject({ count: 0, results: [] })
    expect((await curl(...owner.as, file)).status).toBe(200)
  })

  test('reports errors in its own format', async () => {
    const { url } = shared.server
    const { as } = await enter('strict')
    const client = ['-H', `Authorization: Bearer ${await shared.server.logIn('a-client', 'client')}`]
    const text = [expect.any(String)]
    const detail = { detail: expect.any(String) }
    const json = (body: object) => ['-H', 'Content-Type: application/json', '-d', JSON.stringify(body)]
    const pair = (await data('/token/', 'username=strict&password=12ab34cd')).json
    const refusals: [string, number, object, string[]][] = [
      ['nothing', 400, { username: text, password: text }, ['-X', 'POST', `${url}/auth/users/`]],
      ['a taken name', 400, { username: text }, ['-d', 'username=Strict&password=12ab34cd', `${url}/auth/users/`]],
      ['a short password', 400, { password: text }, ['-d', 'username=n&password=1a', `${url}/auth/users/`]],
      ['digits only', 400, { password: text }, ['-d', 'username=n&password=1234567890', `${url}/auth/users/`]],
      ['no address', 400, { email: text }, ['-d', 'username=n&password=12ab34cd&email=x', `${url}/auth/users/`]],
      ['a wrong type', 400, { username: text }, [...json({ username: 7, password: '12ab34cd' }), `${url}/auth/users/`]],
      ['no password', 400, { password: text }, ['-d', 'username=strict', `${url}/token/`]],
      ['a wrong password', 401, detail, ['-d', 'username=strict&password=12ab34ce', `${url}/token/`]],
      ['an unknown user', 401, detail, [...json({ username: 'no', password: '12ab34cd' }), `${url}/token/`]],
      ['no refresh token', 400, { refresh: text }, ['-X', 'POST', `${url}/token/refresh/`]],
      ['an access token', 401, detail, ['-d', `refresh=${pair.access}`, `${url}/token/refresh/`]],
      ['no token', 401, detail, ['-F', 'file=@/dev/null;filename=a.csv', `${url}/collect/baseline/`]],
      ['no token', 401, detail, [`${url}/collect/data/`]],
      ['a refresh token', 401, detail, ['-H', `Authorization: Bearer ${pair.refresh}`, `${url}/collect/team/`]],
      ['a client', 403, detail, ['-F', 'file=@/dev/null;filename=a.csv', `${url}/collect/team/`, ...client]],
      ['no file', 400, { file: text }, ['-F', 'file=text', `${url}/collect/baseline/`, ...as]],
      ['no form', 400, { file: text }, ['-X', 'POST', `${url}/collect/team/`, ...as]],
      ['a bad name', 400, { file: text }, ['-F', 'file=@/dev/null;filename=../a', `${url}/collect/team/`, ...as]],
      ['two files', 400, { file: text }, [...twice('/dev/null'), `${url}/collect/team/`, ...as]],
      ['an unknown id', 404, detail, ['-X', 'DELETE', `${url}/collect/baseline/999/`, ...as]],
      ['no id', 404, detail, ['-X', 'DELETE', `${url}/collect/team/x/`, ...as]],
      ['a bad date', 400, { from: text }, [`${url}/collect/data/?from=2015-02-30`, ...as]],
      ['no date', 400, { from: text }, [`${url}/collect/data/?from=August`, ...as]],
      ['a bad limit', 400, { limit: text }, [`${url}/collect/team/?limit=-1`, ...as]],
    ]
    for (const [what, status, shape, args] of refusals) {
      const answer = await curl(...args)
      expect(answer, what).toMatchObject({ status, type: 'application/json', json: shape })
      expect(answer.json.message, what).toEqual(expect.any(String))
    }
    const { json: files } = await curl(`${url}/files`, ...as)
    expect(files.files).toEqual([])
  })
})

function twice(path: string): string[] {
  return ['-F', `file=@${path};filename=a.csv`, '-F', `file=@${path};filename=b.csv`]
}
