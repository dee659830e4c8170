import { writeFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { stopRequests } from '../../../dist/server/dialects/stop.js'
import { Caller } from '../../helpers/calls.js'
import { curl, describeWithCurl } from '../../helpers/curl.js'
import { shareServer } from '../../helpers/shared-server.js'
import { largeFile, putLarge, slowly, untilMoving } from '../../helpers/slow-transfers.js'
import { partialNames } from '../../helpers/stored-state.js'
import { temporaryFolder } from '../../helpers/temporary-folder.js'

describeWithCurl('the interface of sign-up, upload and stop', () => {
  const shared = shareServer()
  const partials = () => partialNames(shared.server.dataFolder)
  const signUp = (body: object) =>
    curl('-X', 'POST', '-H', 'Content-Type: application/json', '-d', JSON.stringify(body), at('/auth/signup'))
  const at = (path: string) => shared.server.url + path
  const exporting = (token: string, body: string, ...more: string[]) =>
    curl('-H', `Authorization: Bearer ${token}`, '-H', 'Content-Type: application/json', '-d', body, ...more)

  test('answers its document request by request', async () => {
    const { url } = shared.server
    const folder = await temporaryFolder()
    const user = { username: 'xritzx', password: 'helloatlan' }

    const created = await signUp(user)
    expect(created).toMatchObject({ status: 201, type: 'application/json', json: { username: 'xritzx' } })
    const again = await signUp(user)
    expect(again).toMatchObject({ status: 200, json: { username: 'xritzx', message: expect.any(String) } })
    const { token } = again.json
    const bearer = ['-H', `Authorization: Bearer ${token}`]

    await writeFile(`${folder}/sample.csv`, 'a,b\n1,2\n')
    const uploaded = await curl(...bearer, '-F', `file=@${folder}/sample.csv`, `${url}/upload/`)
    expect(uploaded).toMatchObject({ status: 201, type: 'application/json', json: { message: expect.any(String) } })
    expect(await new Caller(shared.server, token).names()).toEqual(['sample.csv'])

    const large = await largeFile()
    const upload = curl(...bearer, ...slowly, '-F', `text=@${large}`, `${url}/upload/`)
    await untilMoving(url, token, 'upload')
    const stopped = await curl('-X', 'POST', ...bearer, `${url}/upload/stop`)
    expect(stopped).toMatchObject({ status: 200, json: { message: expect.any(String), cleanedUp: true } })
    expect(await upload).toMatchObject({ status: 409, json: { message: expect.stringContaining('user:xritzx') } })
    expect(await new Caller(shared.server, token).names()).toEqual(['sample.csv'])
    expect(await partials()).toEqual([])

    const exported = await exporting(token, '{"filename": "sample.csv"}', `${url}/export/`)
    expect(exported).toMatchObject({ code: 0, status: 200, text: 'a,b\n1,2\n' })

    await putLarge(shared.server, { space: 'user/xritzx', token }, 'large.bin')
    const export_ = exporting(token, '{"filename": "large.bin"}', ...slowly, `${url}/export/`)
    await untilMoving(url, token, 'export')
    expect(await curl('-X', 'POST', ...bearer, `${url}/export/stop`)).toMatchObject({
      status: 200,
      json: { message: expect.any(String) },
    })
    expect((await export_).code).not.toBe(0)
  })

  test('accepts the email as username', async () => {
    const answer = await signUp({ email: 'mail@example.org', password: 'helloatlan' })
    expect(answer).toMatchObject({ status: 201, json: { username: 'mail@example.org', token: expect.any(String) } })
  })

  test('reports errors with a message', async () => {
    const { url } = shared.server
    const { token } = (await signUp({ username: 'refused', password: 'helloatlan' })).json
    const bearer = ['-H', `Authorization: Bearer ${token}`]
    const asJson = ['-H', 'Content-Type: application/json']
    const file = ['-F', 'file=@/dev/null;filename=a']
    const refusals: [string, number, string[]][] = [
      ['no password', 400, [...asJson, '-d', '{"username":"refused"}', `${url}/auth/signup`]],
      ['a wrong type', 400, [...asJson, '-d', '{"username":5,"password":"helloatlan"}', `${url}/auth/signup`]],
      [
        'a wrong password',
        409,
        [...asJson, '-d', '{"username":"refused","password":"another one"}', `${url}/auth/signup`],
      ],
      ['no token', 401, [...file, `${url}/upload/`]],
      ['no file', 400, [...bearer, '-F', 'text=only', `${url}/upload/`]],
      ['no token', 401, ['-X', 'POST', `${url}/upload/stop`]],
      ['nothing to stop', 404, ['-X', 'POST', ...bearer, `${url}/upload/stop`]],
      ['an unknown file', 404, [...bearer, ...asJson, '-d', '{"filename":"missing.csv"}', `${url}/export/`]],
      ['no filename', 400, [...bearer, ...asJson, '-d', '{}', `${url}/export/`]],
      [
        'a bad token',
        401,
        ['-H', 'Authorization: Bearer x.y.z', ...asJson, '-d', '{"filename":"a"}', `${url}/export/`],
      ],
      ['nothing to stop', 404, ['-X', 'POST', ...bearer, `${url}/export/stop`]],
    ]
    for (const [what, status, args] of refusals) {
      expect(await curl(...args), what).toMatchObject({ status, json: { message: expect.any(String) } })
    }
  })

  test('rejects a second upload while one runs, and does not affect the first', async () => {
    const { url } = shared.server
    const { token } = (await signUp({ username: 'twice', password: 'helloatlan' })).json
    const bearer = ['-H', `Authorization: Bearer ${token}`]
    const large = await largeFile()
    const first = curl(...bearer, ...slowly, '-F', `file=@${large}`, `${url}/upload/`)
    await untilMoving(url, token, 'upload')
    const second = await curl(...bearer, '-F', `file=@${large}`, `${url}/upload/`)
    expect(second).toMatchObject({ status: 409, json: { code: 'job-running', message: expect.any(String) } })
    expect((await curl('-X', 'POST', ...bearer, `${url}/upload/stop`)).status).toBe(200)
    expect((await first).status).toBe(409)
  })

  test('has all its files and jobs in the filejobs routes', async () => {
    for (const [method, path] of stopRequests) {
      expect((await fetch(at(path), { method })).status, path).not.toBe(404)
    }
  })
})
