import { writeFile } from 'node:fs/promises'
import { expect, onTestFinished, test } from 'vitest'
import { curl, describeWithCurl } from '../../helpers/curl.js'
import { startTestServer } from '../../helpers/server.js'
import { largeFile, slowly, untilMoving } from '../../helpers/slow-transfers.js'
import { stopTransfers } from '../../helpers/stopped-transfers.js'
import { temporaryFolder } from '../../helpers/temporary-folder.js'

const users = [
  { username: 'Utkal', password: 'utkal123' },
  { username: 'Second', password: 'second123' },
]

/** A server with the users of `usersData.json`, and its client. */
async function start() {
  const folder = await temporaryFolder()
  const usersFile = `${folder}/usersData.json`
  await writeFile(usersFile, JSON.stringify(users))
  const server = await startTestServer({ usersFile })
  onTestFinished(() => server.close())
  const { url } = server
  const signIn = (body: unknown) =>
    curl('-X', 'POST', '-H', 'Content-Type: application/json', '-d', JSON.stringify(body), `${url}/signin`)
  const token = (await signIn(users[0])).text
  return { server, url, folder, signIn, token, as: ['-H', `auth_token: ${token}`] }
}

const asJson = ['-H', 'Content-Type: application/json']

describeWithCurl('the interface of sign-in and terminate', () => {
  test('answers its document request by request', async () => {
    const { server, url, folder, signIn, token, as } = await start()
    const signedIn = await signIn(users[0])
    expect(signedIn).toMatchObject({ status: 200, type: 'text/plain' })
    expect(signedIn.text).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+$/)

    await writeFile(`${folder}/sample.csv`, 'a,b\n1,2\n')
    const uploaded = await curl('-X', 'POST', ...as, '-F', `file=@${folder}/sample.csv`, `${url}/upload`)
    expect(uploaded).toMatchObject({ status: 201, json: { message: expect.stringContaining('sample.csv') } })
    const exported = await curl('-X', 'POST', ...as, ...asJson, '-d', '{"filename":"sample.csv"}', `${url}/export`)
    expect(exported).toMatchObject({ code: 0, status: 200, text: 'a,b\n1,2\n' })

    await stopTransfers(server, 'user/Utkal', token, {
      header: (token) => ['-H', `auth_token: ${token}`],
      stopUpload: ['-X', 'DELETE', `${url}/upload/terminate`],
      exportLarge: ['-X', 'POST', ...asJson, '-d', '{"filename":"large.bin"}', `${url}/export`],
      stopExport: ['-X', 'POST', `${url}/export/terminate`],
    })
  })

  test('reports what is not running', async () => {
    const { url, as } = await start()
    expect(await curl('-X', 'DELETE', ...as, `${url}/upload/terminate`)).toMatchObject({
      status: 404,
      json: { message: expect.stringContaining('not uploading anything') },
    })
    expect(await curl('-X', 'POST', ...as, `${url}/export/terminate/`)).toMatchObject({
      status: 404,
      json: { message: expect.stringContaining('not exporting any file') },
    })
  })

  test('answers 401 to a failed login', async () => {
    const { signIn } = await start()
    const bodies = [
      { username: 'Utkal', password: 'wrong' },
      { username: 'Nobody', password: 'utkal123' },
      { username: 'Utkal' },
      { password: 'utkal123' },
      { username: 5, password: 'utkal123' },
      { username: 'Utkal', password: ['utkal123'] },
      [],
    ]
    for (const body of bodies) {
      expect(await signIn(body)).toMatchObject({ status: 401, json: { message: expect.any(String) } })
    }
  })

  test('reports errors with a message', async () => {
    const { url, as, token, signIn } = await start()
    const second = ['-H', `auth_token: ${(await signIn(users[1])).text}`]
    const large = await largeFile()
    const upload = curl(...as, ...slowly, '-F', `file=@${large}`, `${url}/upload`)
    await untilMoving(url, token, 'upload')
    const refusals: [string, number, string[]][] = [
      ['no token', 401, ['-X', 'DELETE', `${url}/upload/terminate`]],
      ['no token', 401, ['-X', 'POST', `${url}/export/terminate`]],
      ['another token', 401, ['-X', 'DELETE', '-H', 'auth_token: x.y.z', `${url}/upload/terminate`]],
      ['no file', 400, [...second, '-F', 'text=only', `${url}/upload`]],
      ['nothing of the other account to stop', 404, ['-X', 'DELETE', ...second, `${url}/upload/terminate`]],
      ['a second upload', 409, [...as, '-F', `file=@${large}`, `${url}/upload`]],
      ['an unknown file', 404, [...as, ...asJson, '-d', '{"filename":"missing"}', `${url}/export`]],
      ['a wrong type', 400, [...as, ...asJson, '-d', '{"filename":7}', `${url}/export`]],
      ['no filename', 400, [...as, ...asJson, '-d', '{}', `${url}/export`]],
    ]
    for (const [what, status, args] of refusals) {
      expect(await curl(...args), what).toMatchObject({ status, json: { message: expect.any(String) } })
    }
    expect((await curl('-X', 'DELETE', ...as, `${url}/upload/terminate`)).status).toBe(200)
    await upload
  })
})
