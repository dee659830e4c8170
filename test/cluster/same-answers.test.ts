import { once } from 'node:events'
import { describe, expect, it } from 'vitest'
import { type Answer, Caller, holdUpload } from '../helpers/calls.js'
import { eventually } from '../helpers/eventually.js'
import { finish, holdStreams, openFolderJob, partOf, untilJob } from '../helpers/folder-jobs.js'
import { idOf, sha256Of, Tus } from '../helpers/tus.js'
import { hasCluster, startCluster } from './helpers/servers.js'

describe.skipIf(!hasCluster)('a job, and an upload by tus, on two servers', () => {
  it('have the same answers on each of them, while they run, paused, ended, and after a restart of their server', async () => {
    const cluster = await startCluster(2, { args: ['--jobs-per-account', '8'] })
    const [here, there] = (await cluster.logIn('ann')) as [Caller, Caller]
    const [tus, jobs] = [new Map<string, string>(), new Map<string, string>()]
    const uploads = new Tus(here)

    const held = await holdUpload(here, 'held.bin')
    const paused = await holdUpload(here, 'paused.bin')
    await here.post(`/jobs/${paused.id}/pause`)
    const folder = await openFolderJob(here)
    const streams = await holdStreams(here, folder, ['photos/a', 'photos/b'])
    for (const [name, id] of Object.entries({ held: held.id, paused: paused.id, folder })) jobs.set(name, id)

    const metadata = { filetype: 'text/plain', own: 'ü' }
    tus.set('created', await uploads.begin({ name: 'created', metadata }))
    tus.set('begun', await uploads.begin({ name: 'begun', metadata }))
    await uploads.patch(tus.get('begun')!, 0, '0123')
    tus.set('deferred', await uploads.begin({ name: 'deferred', length: null }))
    await uploads.patch(tus.get('deferred')!, 0, '0123')
    tus.set('done', await uploads.begin({ name: 'done', metadata }))
    await uploads.patch(tus.get('done')!, 0, '0123456789')
    tus.set('empty', await uploads.begin({ name: 'empty', length: 0, metadata }))
    tus.set('known', await uploads.begin({ name: 'done', metadata: { sha256: sha256Of('0123456789') } }))
    tus.set('stopped', await uploads.begin({ name: 'stopped' }))
    await uploads.patch(tus.get('stopped')!, 0, '0123')
    await uploads.remove(tus.get('stopped')!)
    tus.set('failed', await uploads.begin({ name: 'failed', metadata: { sha256: sha256Of('other bytes') } }))
    await uploads.patch(tus.get('failed')!, 0, '0123456789')
    for (const [name, path] of tus) jobs.set(name, idOf(path))
    jobs.set('stopped upload', (await stoppedUpload(here)).id)
    await here.put('a.csv', 'name,n\nann,1\n')
    await here.call('/files/a.csv')
    for (const [table, filename] of [
      ['a', 'a.csv'],
      ['b', 'done'],
    ] as const) {
      const { id } = (await here.post('/import', { filename, table })).json
      await eventually('it ends', async () => (await here.job(id)).endedAt !== null)
      jobs.set(`import of ${filename}`, id)
    }
    await here.post('/query', { sql: 'select * from a' })

    const runningOnes = ['held', 'paused', 'folder', 'created', 'begun', 'deferred']
    await expectSame([here, there], '/jobs?limit=1000')
    for (const [name, id] of jobs) await expectSame([here, there], `/jobs/${id}`, name)
    for (const [name, id] of jobs) await expectSame([here, there], `/jobs/${id}/files`, name)
    for (const [name, path] of tus) await expectSame([here, there], path, name)

    const after = async () => {
      const ended = [...tus].filter(([name]) => !runningOnes.includes(name))
      return Promise.all(ended.map(async ([name, path]) => [name, comparable(await new Tus(there).head(path))]))
    }
    const before = await after()
    for (const { finish: end } of [held, paused, ...streams]) end()
    await here.post(`/jobs/${paused.id}/resume`)
    await Promise.all([held, paused, ...streams].map(({ answer }) => answer))
    await here.put('photos/c', 'c', partOf(folder))
    await finish(here, folder)
    await untilJob(there, folder, 'done')
    await expectSame([here, there], `/jobs/${folder}/files`)

    const { child } = cluster.servers[0]!
    child.kill('SIGTERM')
    await once(child, 'exit')
    const again = new Caller(await cluster.add(), here.token)
    await expectSame([again, there], '/jobs?limit=1000')
    for (const [name, id] of jobs) await expectSame([again, there], `/jobs/${id}`, name)
    for (const [name, id] of jobs) await expectSame([again, there], `/jobs/${id}/files`, name)
    for (const [name, path] of tus) await expectSame([again, there], path, name)
    expect(await after()).toEqual(before)
    expect(comparable(await new Tus(again).head(tus.get('done')!))).toMatchObject({
      headers: { 'upload-offset': '10', 'upload-length': '10', etag: `"${sha256Of('0123456789')}"` },
    })
  })
})

async function stoppedUpload(caller: Caller): Promise<{ id: string }> {
  const { id, answer } = await holdUpload(caller, 'stopped.bin')
  await caller.post(`/jobs/${id}/stop`)
  await answer
  return { id }
}

/** GET, and HEAD of an upload by tus, which it moves to the server that is asked. */
async function expectSame([first, second]: [Caller, Caller], path: string, name = path): Promise<void> {
  const ask = async (caller: Caller) => {
    const method = path.startsWith('/tus/') ? 'HEAD' : 'GET'
    return comparable(await caller.call(path, { method, headers: { 'Tus-Resumable': '1.0.0' } }))
  }
  const answers = [await ask(first), await ask(second)]
  expect({ [name]: answers[1] }).toEqual({ [name]: answers[0] })
}

/** Without times of the answer itself, and rates, which each server measures at another moment. */
function comparable({ status, headers, json }: Answer) {
  const { date, 'upload-expires': expires, 'content-length': length, etag, ...rest } = headers
  const validator = status === 200 && headers['upload-offset'] ? { etag } : {}
  const body = json && JSON.parse(JSON.stringify(json, (key, value) => (key === 'rate' ? null : value)))
  return { status, headers: { ...rest, ...validator, expires: expires !== undefined }, body }
}
