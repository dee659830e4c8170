import { createHash, randomBytes } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { answerOf, type Caller } from '../helpers/calls.js'
import { eventually } from '../helpers/eventually.js'
import { finish, holdStreams, openFolderJob, partOf } from '../helpers/folder-jobs.js'
import { startDefaultNginx } from '../helpers/nginx.js'
import { openClient } from '../helpers/program.js'
import { hasProgram } from '../helpers/system-programs.js'
import { Tus } from '../helpers/tus.js'
import { hasCluster, startCluster } from './helpers/servers.js'

describe.skipIf(!hasCluster)('a job of many files', () => {
  it.each(['each', 'together'])('has streams on every server, and is finished by any: %s', async (publish) => {
    const [here, there, third] = await logIn(3)
    const id = await openFolderJob(here, 'photos/', { publish, files: 3, totalBytes: 9 })
    expect((await there.put('photos/a', 'aaa', partOf(id))).status).toBe(201)
    expect((await third.put('photos/b', 'bbb', partOf(id))).status).toBe(201)
    const unchanged = { files: [{ name: 'photos/c', size: 3 }] }
    expect((await there.post(`/jobs/${id}/unchanged`, unchanged)).status).toBe(200)
    expect(await third.names()).toEqual(publish === 'each' ? ['photos/a', 'photos/b'] : [])
    const first = await finish(third, id)
    expect(first).toMatchObject({ status: 200, json: { job: { state: 'done', files: { done: 3, unchanged: 1 } } } })
    expect((await finish(here, id)).json).toEqual(first.json)
    expect(await here.names()).toEqual(['photos/a', 'photos/b'])
  })

  it('has uploads by tus whose requests go to any server', async () => {
    const [here, there] = await logIn(2)
    const id = await openFolderJob(here)
    const content = randomBytes(100_000)
    const path = await new Tus(there).begin({ name: 'photos/a', length: content.length, headers: partOf(id) })
    expect((await new Tus(here).patch(path, 0, content.subarray(0, 60_000))).status).toBe(204)
    expect(await new Tus(there).offset(path)).toBe(60_000)
    expect((await new Tus(there).patch(path, 60_000, content.subarray(60_000))).status).toBe(204)
    expect((await finish(there, id)).json.published).toMatchObject({ files: 1, bytes: 100_000 })
    expect((await there.call('/files/photos/a')).body.equals(content)).toBe(true)
  })

  it('is stopped with its streams on all servers, and each is answered', async () => {
    const [here, there, third] = await logIn(3)
    const id = await openFolderJob(here)
    const streams = [
      ...(await holdStreams(here, id, ['photos/a'])),
      ...(await holdStreams(there, id, ['photos/b', 'photos/c'])),
    ]
    const receipt = await third.post(`/jobs/${id}/stop`)
    expect(receipt.json).toMatchObject({ cleanedUp: true, job: { state: 'stopped' } })
    for (const { answer } of streams) expect((await answer).json).toMatchObject({ code: 'job-stopped' })
    expect(await there.names()).toEqual([])
    expect((await there.put('photos/d', 'd', partOf(id))).json).toMatchObject({ code: 'job-stopped' })
  })

  it('ends a stream whose client leaves another server', async () => {
    const [here, there] = await logIn(2)
    const id = await openFolderJob(here)
    const [stream] = await holdStreams(there, id, ['photos/a'])
    stream!.request.destroy()
    await eventually('it has failed', async () => (await here.job(id)).files?.failed === 1)
    expect((await finish(there, id)).json.job.files).toMatchObject({ done: 0, failed: 1 })
  })

  it('refuses a stream before its body, wherever it comes', async () => {
    const [here, there] = await logIn(2)
    const id = await openFolderJob(here, 'photos/', { kind: 'export' })
    const headers = partOf(id, { Expect: '100-continue', 'Content-Length': 10 })
    const request = there.open('/files/photos/a', { method: 'PUT', headers })
    let continued = false
    request.on('continue', () => {
      continued = true
    })
    request.flushHeaders()
    expect((await answerOf(request)).json).toMatchObject({ code: 'not-joinable' })
    expect(continued).toBe(false)
  })

  it('is done if its server dies between the publish of its files together and the record of the end', async () => {
    const cluster = await startCluster(2)
    const [here, there] = (await cluster.logIn('ann')) as [Caller, Caller]
    const id = await openFolderJob(here, 'photos/', { publish: 'together' })
    await here.put('photos/a', 'aaa', partOf(id))
    const sql = cluster.database.connect(1)
    await sql.unsafe(`
      create function refuse_ends() returns trigger language plpgsql as $$ begin raise 'no end is recorded'; end $$;
      create trigger refuse_ends before update on jobs for each row when (new.ended_at is not null)
        execute function refuse_ends()`)
    finish(here, id).catch(() => {})
    await eventually('the file is published', async () => (await there.names()).length === 1)
    cluster.servers[0]!.child.kill('SIGKILL')
    await cluster.servers[0]!.ended()
    await sql`drop trigger refuse_ends on jobs`
    const job = await eventually('the job has ended', async () => {
      const found = await there.job(id)
      return found.endedAt !== null && found
    })
    expect(job).toMatchObject({ state: 'done', error: null, bytes: 3, percent: 100, files: { done: 1 } })
    expect((await finish(there, id)).json.published).toMatchObject({ files: 1, bytes: 3, created: 1 })
  })

  it('has ended when its server is dead, which every other one says', async () => {
    const cluster = await startCluster(2)
    const [here, there] = (await cluster.logIn('ann')) as [Caller, Caller]
    const id = await openFolderJob(here)
    cluster.servers[0]!.child.kill('SIGKILL')
    const answer = await eventually('the job has ended', async () => {
      const answer = await there.put('photos/a', 'a', partOf(id))
      return answer.status !== 503 && answer
    })
    expect(answer.json).toMatchObject({ code: 'not-running' })
    expect(await there.job(id)).toMatchObject({ state: 'failed', error: { code: 'shutting-down' } })
  })
})

describe.skipIf(!hasCluster || !hasProgram('nginx'))('a folder that the command line uploads through nginx', () => {
  it('arrives by all servers as one job', async () => {
    const cluster = await startCluster(3)
    const [here] = (await cluster.logIn('ann')) as [Caller]
    const client = await openClient(await startDefaultNginx(cluster.servers.map(({ url }) => url)), here.token)
    const sizes = [...Array.from({ length: 40 }, () => 1000), ...Array.from({ length: 8 }, () => 300_000)]
    const contents = new Map(sizes.map((size, at) => [`p/${at % 3}/${at}`, randomBytes(size)]))
    for (const [name, content] of contents) {
      await mkdir(join(client.home, name, '..'), { recursive: true })
      await writeFile(join(client.home, name), content)
    }
    for (const args of [[], ['--together', '--name', 'q']]) {
      const { code, stderr } = await client.run(['upload', 'p', ...args])
      expect([code, stderr]).toEqual([0, ''])
    }
    const { json } = await here.call('/files?limit=1000')
    const digests = Object.fromEntries(
      json.files.map((file: { name: string; sha256: string }) => [file.name, file.sha256]),
    )
    for (const [name, content] of contents) {
      const sha256 = createHash('sha256').update(content).digest('hex')
      expect([digests[name], digests[name.replace('p', 'q')]]).toEqual([sha256, sha256])
    }
    expect((await here.call('/jobs?kind=upload')).json.jobs).toMatchObject([
      { state: 'done', files: { done: 48 } },
      { state: 'done', files: { done: 48 } },
    ])
  })
})

async function logIn(count: 2 | 3): Promise<[Caller, Caller, Caller]> {
  return (await (await startCluster(count)).logIn('ann')) as [Caller, Caller, Caller]
}
