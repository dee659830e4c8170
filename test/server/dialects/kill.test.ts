import { writeFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { curl, describeWithCurl } from '../../helpers/curl.js'
import { shareServer } from '../../helpers/shared-server.js'
import { stopTransfers } from '../../helpers/stopped-transfers.js'
import { temporaryFolder } from '../../helpers/temporary-folder.js'

const asJson = ['-H', 'Content-Type: application/json']

describeWithCurl('the interface of sign-in and kill', () => {
  const shared = shareServer()
  const signIn = (body: unknown) =>
    curl('-X', 'POST', ...asJson, '-d', JSON.stringify(body), `${shared.server.url}/auth/signin`)

  test('answers its document request by request', async () => {
    const { server } = shared
    const { url } = server
    const folder = await temporaryFolder()
    // Its accounts came with it; here they sign up.
    const user = { username: 'avijeet', password: 'avijeet@123' }
    await curl(...asJson, '-d', JSON.stringify(user), `${url}/auth/signup`)
    const signedIn = await signIn(user)
    expect(signedIn).toMatchObject({ status: 200, type: 'application/json', json: { username: 'avijeet' } })
    const { auth_token: token } = signedIn.json
    expect(signedIn.json.token).toBe(token)
    const as = ['-H', `auth_token: ${token}`]

    await writeFile(`${folder}/sample.csv`, 'a,b\n1,2\n')
    const uploaded = await curl('-X', 'POST', ...as, '-F', `file=@${folder}/sample.csv`, `${url}/upload`)
    expect(uploaded).toMatchObject({ status: 201, json: { message: expect.stringContaining('sample.csv') } })
    const exported = await curl('-X', 'POST', ...as, ...asJson, '-d', '{"filename":"sample.csv"}', `${url}/export`)
    expect(exported).toMatchObject({ code: 0, status: 200, text: 'a,b\n1,2\n' })

    await stopTransfers(server, 'user/avijeet', token, {
      header: (token) => ['-H', `auth_token: ${token}`],
      stopUpload: ['-X', 'DELETE', `${url}/upload/kill`],
      exportLarge: ['-X', 'POST', ...asJson, '-d', '{"filename":"large.bin"}', `${url}/export`],
      stopExport: ['-X', 'POST', `${url}/export/kill`],
    })
    expect(await curl('-X', 'DELETE', ...as, `${url}/upload/kill`)).toMatchObject({
      status: 404,
      json: { message: expect.stringContaining('no upload found') },
    })
    expect(await curl('-X', 'POST', ...as, `${url}/export/kill`)).toMatchObject({
      status: 404,
      json: { message: expect.stringContaining('not exporting any file') },
    })
  })

  test('answers 401 to a failed login and to requests without a token', async () => {
    const { url } = shared.server
    const refused = { status: 401, json: { message: expect.any(String) } }
    expect(await signIn({ username: 'avijeet', password: 'wrong' })).toMatchObject(refused)
    expect(await signIn({ username: 'nobody', password: 'avijeet@123' })).toMatchObject(refused)
    expect(await signIn({ username: 'avijeet' })).toMatchObject(refused)
    expect(await signIn({ username: 'avijeet', password: 5 })).toMatchObject(refused)
    expect(await curl('-X', 'DELETE', `${url}/upload/kill`)).toMatchObject(refused)
    expect(await curl('-X', 'POST', `${url}/export/kill`)).toMatchObject(refused)
  })
})
