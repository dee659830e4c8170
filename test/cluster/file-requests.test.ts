import { randomUUID } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { answerOf, type Caller } from '../helpers/calls.js'
import { eventually } from '../helpers/eventually.js'
import {
  askForFiles,
  beginToSend,
  continueToSend,
  listedRequest,
  sendFile,
  type TestRequest,
} from '../helpers/file-requests.js'
import { hasCluster, startCluster } from './helpers/servers.js'

/** The link at another server. */
function at(caller: Caller, request: TestRequest): TestRequest {
  return { ...request, sender: caller }
}

async function hold(owner: Caller, { path, sender }: TestRequest) {
  const id = randomUUID()
  const headers = { 'Content-Length': 100, 'Filejobs-Job': id }
  const request = sender.open(`${path}/held.bin`, { method: 'PUT', headers })
  const answer = answerOf(request)
  answer.catch(() => {})
  request.write('x')
  await eventually('the upload runs', async () => (await owner.job(id)).bytes === 1)
  return { id, request, answer }
}

describe.skipIf(!hasCluster)('a link for uploads, on two servers', () => {
  it('has uploads that are seen, limited and stopped at the other server', async () => {
    const [here, there] = await (await startCluster(2)).logIn('ann')
    const request = await askForFiles(here!)
    const held = await hold(there!, request)
    expect(await there!.job(held.id)).toMatchObject({ account: `request:${request.id}`, state: 'running' })
    const limited = await there!.call(`/jobs/${held.id}`, { method: 'PATCH', body: { rateLimit: 1000 } })
    expect(limited.json).toMatchObject({ rateLimit: 1000 })
    const stopped = await there!.post(`/jobs/${held.id}/stop`)
    expect(stopped.json).toMatchObject({ stoppedBy: 'user:ann', cleanedUp: true })
    expect(await held.answer).toMatchObject({ status: 409, json: { code: 'job-stopped' } })
  })

  it('is revoked for both, with what either receives', async () => {
    const [here, there] = await (await startCluster(2)).logIn('ann')
    const request = await askForFiles(here!)
    const held = await hold(there!, request)
    expect((await there!.call(`/requests/${request.id}`, { method: 'DELETE' })).status).toBe(204)
    expect(await held.answer).toMatchObject({ status: 409, json: { code: 'job-stopped' } })
    for (const caller of [here!, there!]) {
      expect(await sendFile(at(caller, request), 'a', 'x')).toMatchObject({ status: 410 })
    }
  })

  it('takes no more than it allows, and keeps all names, from both at the same time', async () => {
    const [here, there] = await (await startCluster(2)).logIn('ann')
    const request = await askForFiles(here!, { maxFiles: 6 })
    const sent = await Promise.all(
      Array.from({ length: 12 }, (_, n) => sendFile(at(n % 2 ? here! : there!, request), 'same.txt', `${n}`)),
    )
    const statuses = sent.map(({ status }) => status)
    expect(statuses.filter((status) => status === 201).length).toBe((await here!.names()).length)
    await eventually('it is full', async () => {
      await sendFile(request, 'same.txt', 'x')
      return (await listedRequest(there!, request)).state === 'full'
    })
    const numbers = ['', ' (2)', ' (3)', ' (4)', ' (5)', ' (6)']
    expect((await there!.names()).sort()).toEqual(numbers.map((number) => `in/same${number}.txt`).sort())
    expect((await listedRequest(here!, request)).files).toBe(6)
  })

  it('has an upload by tus that goes on at the other server, also after the first one was killed', async () => {
    const cluster = await startCluster(2)
    const [here, there] = await cluster.logIn('ann')
    const request = await askForFiles(here!, { maxFiles: 1 })
    const { headers } = await beginToSend(request, { name: 'a.txt', length: 9 })
    await continueToSend(request, headers.location!, 0, 'some ')
    expect((await continueToSend(at(there!, request), headers.location!, 5, 'te')).headers['upload-offset']).toBe('7')
    cluster.servers[1]!.child.kill('SIGKILL')
    expect((await sendFile(request, 'b.txt', 'x')).status).toBe(503)
    await eventually('it goes on', async () => {
      const look = await here!.call(headers.location!, { method: 'HEAD', headers: { 'Tus-Resumable': '1.0.0' } })
      const offset = Number(look.headers['upload-offset'])
      if (look.status !== 200) return false
      return (await continueToSend(request, headers.location!, offset, 'some text'.slice(offset))).status === 204
    })
    expect(String((await here!.call('/files/in/a.txt')).body)).toBe('some text')
    await eventually('it is counted', async () => (await listedRequest(here!, request)).state === 'full')
  })
})
