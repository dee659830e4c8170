import { randomBytes } from 'node:crypto'
import { readdir, rm, stat, writeFile } from 'node:fs/promises'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, it, onTestFinished } from 'vitest'
import { eventually } from '../helpers/eventually.js'
import { openClient } from '../helpers/program.js'
import { startServe } from '../helpers/serve.js'

const password = { env: { FILEJOBS_PASSWORD: 'correct horse' } }

/** Something else that answers where a server was expected. */
async function listen(listener: RequestListener): Promise<string> {
  const server = createServer(listener).listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

describe('a server that is killed', () => {
  it('ends an upload and an export with exit code 5 and instructions to resume', async () => {
    const server = await startServe()
    const client = await openClient(server.url)
    await client.run(['signup', 'ann'], password)
    await writeFile(`${client.home}/a.bin`, randomBytes(6 * 1024 ** 2))
    await client.run(['upload', 'a.bin'])
    await rm(`${client.home}/a.bin`)
    await writeFile(`${client.home}/b.bin`, randomBytes(12 * 1024 ** 2))
    const transfers = [
      client.start(['export', 'a.bin', '--retries', '0', '--limit-rate', '256K']),
      client.start(['upload', 'b.bin', '--retries', '1', '--limit-rate', '256K']),
    ]
    const exported = async () => (await stat(`${client.home}/a.bin.part`).catch(() => null))?.size
    await eventually('some of the export is here', exported)
    const running = async () => (await client.run(['jobs', '--kind', 'upload', '--state', 'running', '--json'])).stdout
    await eventually('some of the upload is there', async () => /"bytes":[1-9]/.test(await running()))
    server.child.kill('SIGKILL')
    expect(await Promise.all(transfers.map((transfer) => transfer.ended()))).toEqual([5, 5])
    for (const { stderr } of transfers) expect(stderr).toMatch(/^Error: http.*Run the same command again to resume/m)
    expect(await readdir(client.home)).toEqual(['.config', '.local', 'a.bin.part', 'b.bin'])
  })
})

describe('a response from something other than a filejobs server', () => {
  const token = { env: { FILEJOBS_TOKEN: 'x' } }

  it('without JSON is reported with its source', async () => {
    const client = await openClient(await listen((_, response) => response.end('<html>')))
    expect(await client.run(['ls'], token)).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/is the URL right/),
    })
  })

  it('that redirects is not followed with the token', async () => {
    let asked = 0
    const other = await listen((_, response) => {
      asked += 1
      response.end('{}')
    })
    const client = await openClient(
      await listen((_, response) => response.writeHead(302, { location: `${other}/files` }).end()),
    )
    const { code, stderr } = await client.run(['ls'], token)
    expect([code, stderr, asked]).toEqual([1, expect.stringContaining(`sends us on to ${other}`), 0])
    expect((await client.run(['upload', '-', '--name', 'x'], { ...token, input: 'x' })).code).toBe(1)
    expect(asked).toBe(0)
  })

  it('of a proxy whose server is down is retried', async () => {
    const client = await openClient(await listen((_, response) => response.writeHead(502).end('Bad Gateway')))
    expect((await client.run(['ls'], token)).code).toBe(5)
    expect((await client.run(['upload', '-', '--name', 'x', '--retries', '0'], { ...token, input: 'x' })).code).toBe(5)
  })

  it('with a damaged export is detected: exit code 8, no file', async () => {
    const digest = `sha-256=:${randomBytes(32).toString('base64')}:`
    const client = await openClient(
      await listen((_, response) => response.writeHead(200, { 'repr-digest': digest }).end('damaged')),
    )
    const { code, stderr } = await client.run(['export', 'a.txt'], token)
    expect([code, stderr]).toEqual([8, expect.stringMatching(/a\.txt arrived damaged/)])
    expect((await readdir(client.home)).filter((name) => !name.startsWith('.'))).toEqual([])
  })

  it('with a truncated export is not taken as complete', async () => {
    const client = await openClient(
      await listen((request, response) => {
        if (request.url !== '/files/a.bin') return response.writeHead(404).end('{"code": "job-not-found"}')
        response.writeHead(200, { 'content-length': 8 * 1024 ** 2 })
        response.write(Buffer.alloc(1024 ** 2), () => response.destroy())
      }),
    )
    expect((await client.run(['export', 'a.bin', '--retries', '2'], token)).code).toBe(5)
    // A version without a tag cannot be resumed.
    expect((await readdir(client.home)).filter((name) => !name.startsWith('.'))).toEqual([])
  })
})
