import { execFile } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { Caller } from '../helpers/calls.js'
import { eventually } from '../helpers/eventually.js'
import { askForFiles, beginToSend, continueToSend, listedRequest, sendFile } from '../helpers/file-requests.js'
import { openClient } from '../helpers/program.js'
import { startServe } from '../helpers/serve.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

const run = promisify(execFile)

async function signUp(server: { url: string }): Promise<Caller> {
  const body = { username: 'ann', password: 'correct horse' }
  const { json } = await new Caller(server, '').post('/auth/signup', body)
  return new Caller(server, json.token)
}

describe('a link for uploads', () => {
  it('takes what curl uploads, twice under the same name', async () => {
    const serve = await startServe()
    const ann = await signUp(serve)
    const client = await openClient(serve.url, ann.token)
    const made = await client.run(['request', 'inbox/', '--max-files', '2'])
    expect(made.code).toBe(0)
    const url = made.stdout.trim()
    const file = join(await temporaryFolder(), 'a photo.jpg')
    await writeFile(file, 'some bytes')
    for (const name of ['a photo.jpg', 'a photo (2).jpg']) {
      const { stdout } = await run('curl', ['-sS', '-T', file, `${url}/`])
      expect(JSON.parse(stdout)).toMatchObject({ name, size: 10 })
    }
    const { stdout } = await run('curl', ['-sS', '-o', '/dev/null', '-w', '%{http_code}', '-T', file, `${url}/`])
    expect(stdout).toBe('410')
    expect((await client.run(['jobs', '--json'])).stdout).toContain('"account":"request:')
    expect((await client.run(['requests', '--quiet'])).stdout).toContain('2 of 2')
  })

  it('keeps what has begun over a kill of the server, with its place', async () => {
    const serve = await startServe()
    const ann = await signUp(serve)
    const request = await askForFiles(ann, { maxFiles: 2 })
    await sendFile(request, 'first', 'x')
    const { headers } = await beginToSend(request, { name: 'first', length: 9 })
    await continueToSend(request, headers.location!, 0, 'some ')
    serve.child.kill('SIGKILL')
    await serve.ended()
    const again = await startServe({ dataFolder: serve.dataFolder })
    const owner = new Caller(again, ann.token)
    const sender = new Caller(again, '')
    const full = { ...request, sender }
    await eventually('the server has it', async () => {
      const { status } = await sendFile(full, 'second', 'x')
      expect([410, 503]).toContain(status)
      return status === 503
    })
    const tus = { 'Tus-Resumable': '1.0.0' }
    const look = await sender.call(headers.location!, { method: 'HEAD', headers: tus })
    const offset = Number(look.headers['upload-offset'])
    expect((await continueToSend(full, headers.location!, offset, 'some text'.slice(offset))).status).toBe(204)
    expect((await owner.names()).sort()).toEqual(['in/first', 'in/first (2)'])
    await eventually('it is counted', async () => (await listedRequest(owner, request)).state === 'full')
  })
})
