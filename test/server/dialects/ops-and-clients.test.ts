import { writeFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { Caller } from '../../helpers/calls.js'
import { curl, describeWithCurl } from '../../helpers/curl.js'
import { shareServer } from '../../helpers/shared-server.js'
import { largeFile, putLarge, slowly, untilMoving } from '../../helpers/slow-transfers.js'
import { partialNames } from '../../helpers/stored-state.js'
import { temporaryFolder } from '../../helpers/temporary-folder.js'
import { isFleet } from '../../run/is-cluster.js'

const password = 'correct horse'

describeWithCurl('the interface of ops and clients', () => {
  const shared = shareServer()
  const at = (path: string) => shared.server.url + path
  const form = (path: string, fields: Record<string, string>, ...more: string[]) =>
    curl(
      ...more,
      ...Object.entries(fields).flatMap(([name, value]) => ['--data-urlencode', `${name}=${value}`]),
      at(path),
    )
  const bearer = (token: string) => ['-H', `Authorization: Bearer ${token}`]
  const tokenOf = (header: string[]) => header[1]!.replace(/.* /, '')
  /** Signs up and logs in. */
  const enter = async (role: 'ops' | 'client', username: string) => {
    expect((await form(`/${role}/signup`, { username, password })).status).toBe(201)
    return bearer((await form(`/${role}/login`, { username, password })).text)
  }

  test('answers its document request by request', async () => {
    const folder = await temporaryFolder()
    await writeFile(`${folder}/file.pdf`, '%PDF-1.7 some bytes\n')
    const who = { username: 'sbeve72', password }

    for (const role of ['ops', 'client']) {
      expect(await form(`/${role}/signup`, { ...who, name: 'Sbeve', email: 's@example.org' })).toMatchObject({
        status: 201,
        type: 'text/plain',
      })
      expect((await form(`/${role}/signup`, who)).status).toBe(409)
    }
    const login = await form('/ops/login', who)
    expect(login).toMatchObject({ status: 200, type: 'text/plain' })
    const ops = bearer(login.text)
    const uploaded = await curl(
      '--location',
      at('/ops/upload'),
      '--header',
      `Authorization: Bearer ${login.text}`,
      '--form',
      `request_file=@"${folder}/file.pdf"`,
    )
    expect(uploaded).toMatchObject({ status: 201, text: 'File uploaded' })
    expect(await new Caller(shared.server, login.text).names()).toEqual(['file.pdf'])

    const client = bearer((await form('/client/login', who)).text)
    expect(await curl(...client, at('/client/files/sbeve72'))).toMatchObject({ status: 200, json: ['file.pdf'] })
    const headers = `${folder}/headers`
    const file = await curl(...client, '-D', headers, at('/client/files/sbeve72/file.pdf'))
    expect(file).toMatchObject({ code: 0, status: 200, text: '%PDF-1.7 some bytes\n' })
    expect(await curl(`file://${headers}`)).toMatchObject({
      text: expect.stringMatching(/content-disposition: attachment; filename="file.pdf"/i),
    })

    for (const token of [ops, client]) {
      expect(await curl(...token, at('/logout'))).toMatchObject({ status: 200 })
      expect((await curl(...token, at('/logout'))).status).toBe(401)
    }
    expect((await curl(...client, at('/client/files/sbeve72'))).status).toBe(401)
  })

  test('accepts signup and login by GET and POST, url-encoded, multipart and JSON', async () => {
    const json = ['-H', 'Content-Type: application/json', '-d', JSON.stringify({ username: 'by-json', password })]
    const ways: [string, string[]][] = [
      ['by-get', ['-X', 'GET', '--data', 'username=by-get', '--data-urlencode', `password=${password}`]],
      ['by-post', ['-X', 'POST', '--data', `username=by-post&password=${password}`]],
      ['by-form', ['-X', 'GET', '-F', 'username=by-form', '-F', `password=${password}`]],
      ['by-json', ['-X', 'GET', ...json]],
    ]
    for (const [username, args] of ways) {
      expect(await curl(...args, at('/client/signup/')), username).toMatchObject({ status: 201 })
      expect(await curl(...args, at('/client/login')), username).toMatchObject({ status: 200, type: 'text/plain' })
    }
  })

  test('issues HS256 tokens for 365 days, with the role as audience', async () => {
    await form('/client/signup', { username: 'claims', password })
    const { text } = await form('/client/login', { username: 'claims', password })
    const read = (part = '') => JSON.parse(Buffer.from(part, 'base64url').toString())
    const [header, claims] = text.split('.')
    expect(read(header)).toMatchObject({ alg: 'HS256' })
    const { exp } = read(claims)
    expect(read(claims)).toEqual({
      iss: expect.any(String),
      sub: expect.any(String),
      aud: 'client',
      sid: expect.any(String),
      exp: expect.any(Number),
    })
    const days = (exp - Date.now() / 1000) / 86_400
    expect(days).toBeGreaterThan(364.9)
    expect(days).toBeLessThan(365.1)
  })

  test('never reads a password from a query string', async () => {
    const query = `?username=by-query&password=${encodeURIComponent(password)}`
    expect((await curl('-X', 'GET', at(`/ops/signup${query}`))).status).toBe(400)
    await form('/ops/signup', { username: 'by-query', password })
    expect((await curl('-X', 'POST', at(`/ops/login${query}`))).status).toBe(400)
  })

  test('separates the roles', async () => {
    const ops = await enter('ops', 'keeper')
    const client = await enter('client', 'reader')
    const user = bearer(await shared.server.logIn('someone'))
    expect((await curl(...ops, '-F', 'request_file=@/dev/null;filename=a.txt', at('/ops/upload'))).status).toBe(201)
    for (const other of [client, user]) {
      const answer = await curl(...other, '-F', 'request_file=@/dev/null;filename=b.txt', at('/ops/upload'))
      expect(answer).toMatchObject({ status: 403, type: 'text/plain' })
    }
    for (const other of [ops, user]) {
      for (const path of ['/client/files/keeper', '/client/files/keeper/a.txt']) {
        expect((await curl(...other, at(path))).status).toBe(403)
      }
    }
    expect(await new Caller(shared.server, tokenOf(ops)).names()).toEqual(['a.txt'])
    // The files of a user with that name are not published.
    await fetch(at('/files/mine.txt'), {
      method: 'PUT',
      headers: { Authorization: `Bearer ${await shared.server.logIn('keeper')}` },
      body: 'x',
    })
    expect((await curl(...client, at('/client/files/keeper/'))).json).toEqual(['a.txt'])
  })

  test('reports errors with its own statuses, in plain text', async () => {
    const ops = await enter('ops', 'strict')
    const client = await enter('client', 'strict')
    const refusals: [string, number, string[]][] = [
      ['an unknown name', 404, ['-d', 'username=nobody&password=correct horse', at('/ops/login')]],
      ['a wrong password', 404, ['-d', 'username=strict&password=wrong', at('/ops/login')]],
      ['no password', 400, ['-d', 'username=strict', at('/client/login')]],
      ['no fields', 400, ['-X', 'GET', at('/client/login')]],
      ['a field twice', 400, ['-d', 'username=a&username=b&password=correct horse', at('/client/login')]],
      [
        'a wrong type',
        400,
        ['-H', 'Content-Type: application/json', '-d', '{"username":1,"password":2}', at('/ops/signup')],
      ],
      ['no JSON', 400, ['-H', 'Content-Type: application/json', '-d', '{"username":', at('/ops/signup')]],
      [
        'a broken form',
        400,
        ['-H', 'Content-Type: multipart/form-data; boundary=x', '-d', '--x\r\nno', at('/ops/signup')],
      ],
      ['another body', 415, ['-H', 'Content-Type: text/plain', '-d', 'username=a', at('/ops/signup')]],
      [
        'a file in a signup',
        400,
        ['-F', 'username=filed', '-F', 'password=correct horse', '-F', 'x=@/dev/null;filename=a', at('/ops/signup')],
      ],
      ['a bad username', 400, ['-d', 'username=../x&password=correct horse', at('/ops/signup')]],
      ['a short password', 400, ['-d', 'username=short&password=x', at('/client/signup')]],
      ['a taken name', 409, ['-d', 'username=STRICT&password=correct horse', at('/client/signup')]],
      ['no token', 401, ['-F', 'request_file=@/dev/null;filename=a', at('/ops/upload')]],
      ['no file', 400, [...ops, '-F', 'request_file=text', at('/ops/upload')]],
      ['a file of another field', 400, [...ops, '-F', 'file=@/dev/null;filename=a', at('/ops/upload')]],
      [
        'a file of another field beside it',
        400,
        [...ops, '-F', 'request_file=@/dev/null;filename=a', '-F', 'file=@/dev/null;filename=b', at('/ops/upload')],
      ],
      ['no form', 400, [...ops, '-d', 'request_file=text', at('/ops/upload')]],
      ['nothing', 400, [...ops, '-X', 'POST', at('/ops/upload')]],
      ['no token', 401, [at('/client/files/strict')]],
      ['an unknown ops account', 404, [...client, at('/client/files/nobody')]],
      ['an unknown file', 404, [...client, at('/client/files/strict/missing')]],
      ['no token', 401, [at('/logout')]],
    ]
    // nginx refuses it itself, with a page.
    if (!isFleet) refusals.push(['a bad name', 400, [...client, at('/client/files/strict/a%00')]])
    for (const [what, status, args] of refusals) {
      const answer = await curl(...args)
      expect(answer, `${what}: ${args.join(' ')}`).toMatchObject({ code: 0, status, type: 'text/plain' })
      expect(answer.text, what).not.toBe('')
    }
    // Refused before any interface is asked.
    expect((await curl(...client, '--path-as-is', at('/client/files/strict/../keeper'))).status).toBe(400)
    expect(await partialNames(shared.server.dataFolder)).toEqual([])
  })

  test('rejects a second upload while one runs, and breaks the connection of a stopped download', async () => {
    const { url } = shared.server
    const ops = await enter('ops', 'busy')
    const client = await enter('client', 'busy')
    const large = await largeFile()
    const first = curl(...ops, ...slowly, '-F', `request_file=@${large}`, `${url}/ops/upload`)
    await untilMoving(url, tokenOf(ops), 'upload')
    expect((await curl(...ops, '-F', `request_file=@${large}`, `${url}/ops/upload`)).status).toBe(409)
    await curl('-X', 'POST', ...ops, `${url}/upload/stop`)
    expect((await first).status).toBe(409)

    await putLarge(shared.server, { space: 'ops/busy', token: tokenOf(ops) }, 'large.bin')
    const reading = curl(...client, ...slowly, `${url}/client/files/busy/large.bin`)
    const job = await untilMoving(url, tokenOf(client), 'export')
    expect(job).toMatchObject({ file: 'ops:busy/large.bin', account: 'client:busy' })
    await curl('-X', 'POST', ...client, `${url}/export/stop`)
    expect((await reading).code).not.toBe(0)
  })
})
