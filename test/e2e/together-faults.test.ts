import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdir, rename, rm, writeFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { makeAccount } from '../helpers/account.js'
import { Caller } from '../helpers/calls.js'
import { openCuttingProxy } from '../helpers/cutting-proxy.js'
import { eventually } from '../helpers/eventually.js'
import { finish, holdStreams, openFolderJob, partOf } from '../helpers/folder-jobs.js'
import { onlyLocal } from '../helpers/only-local.js'
import { openClient } from '../helpers/program.js'
import { startServe } from '../helpers/serve.js'
import { shareServer } from '../helpers/shared-server.js'
import { partialNames } from '../helpers/stored-state.js'

const shared = shareServer({ shutdownGraceMs: 0 })
const large = randomBytes(9 * 1024 ** 2)

/** An upload of three files that are published together, held while the second one is under way. */
async function begin() {
  const account = await makeAccount(shared.server)
  const { client, jobs } = account
  await mkdir(`${client.home}/p`)
  for (const [name, content] of Object.entries({ a: 'a', b: large, c: randomBytes(200_000) })) {
    await writeFile(`${client.home}/p/${name}`, content)
  }
  const slow = ['--transfers', '1', '--limit-rate', '512K', '--no-wait', '--retries', '0']
  const upload = client.start(['upload', 'p', '--together', ...slow])
  await eventually('the second is under way', async () => ((await jobs())[0]?.bytes ?? 0) > 100_000)
  return { ...account, upload, job: (await jobs())[0]! }
}

describe('filejobs upload --together publishes nothing', () => {
  it('if a file changes or vanishes while it is read', async () => {
    const { client, files, upload, job, liftLimit } = await begin()
    await rm(`${client.home}/p/c`)
    await writeFile(`${client.home}/p/b`, 'changed')
    await liftLimit(job.id)
    expect([await upload.ended(), upload.stderr]).toEqual([
      1,
      expect.stringMatching(/p\/b: .*changed while it was read/),
    ])
    expect(upload.stderr).toMatch(/Nothing was published/)
    expect(await files()).toEqual([])
  })

  it.each(['SIGINT', 'SIGKILL'] as const)('if it is ended by %s', async (signal) => {
    const { files, upload, jobs } = await begin()
    upload.child.kill(signal)
    await upload.ended()
    expect(await files()).toEqual([])
    if (signal === 'SIGINT') expect((await jobs())[0]).toMatchObject({ state: 'stopped' })
  })
})

describe('filejobs upload --together publishes everything', () => {
  it('in the end, although its connection breaks again and again', async () => {
    const caller = await shared.newCaller()
    const proxy = await openCuttingProxy(shared.server.url, [300_000, 900_000, 600_000])
    const client = await openClient(proxy.url, caller.token)
    await mkdir(`${client.home}/p`)
    for (let index = 0; index < 300; index++) await writeFile(`${client.home}/p/${index}`, `${index} `.repeat(2500))
    const { code, stdout } = await client.run(['upload', 'p', '--together', '--retries', '20'])
    expect([code, stdout]).toEqual([0, expect.stringMatching(/^Uploaded p \(300 files, .*\): 300 new\n$/)])
    expect(proxy.cuts).toBe(3)
    expect(await caller.names()).toHaveLength(300)
    expect((await caller.call('/jobs')).json.jobs).toMatchObject([
      { state: 'done', percent: 100, files: { total: 300, done: 300, failed: 0 } },
    ])
  })
})

/** A server of its own, to be killed, with a job that has a file. */
async function beginTogether() {
  const first = await startServe()
  const account = { username: 'ann', password: 'correct horse' }
  const { token } = (await new Caller(first, '').post('/auth/signup', account)).json
  const ann = new Caller(first, token)
  const id = await openFolderJob(ann, 'photos/', { publish: 'together' })
  await ann.put('photos/a', 'a', partOf(id))
  return { first, token, ann, id }
}

describe('a job that publishes together', () => {
  it('has left nothing after its server was killed', async () => {
    const { first, token, ann, id } = await beginTogether()
    await holdStreams(ann, id, ['photos/b'])
    first.child.kill('SIGKILL')
    await first.ended()
    const second = await startServe({ dataFolder: first.dataFolder })
    const again = new Caller(second, token)
    expect(await again.job(id)).toMatchObject({ state: 'failed', error: { code: 'shutting-down' } })
    expect(await again.names()).toEqual([])
    await eventually('nothing else', async () => (await partialNames(first.dataFolder)).length === 0)
    expect(await finish(again, id)).toMatchObject({ status: 409, json: { code: 'not-running' } })
  })

  onlyLocal('the history is a file', () => {
    it('is done if its server was killed before the end could be recorded', async () => {
      const { first, token, ann, id } = await beginTogether()
      const unchanged = { files: [{ name: 'photos/b', size: 3 }] }
      await ann.post(`/jobs/${id}/unchanged`, unchanged)
      // A pipe that nobody reads: what is written to the history never arrives.
      const history = `${first.dataFolder}/jobs.ndjson`
      await rename(history, `${history}.kept`)
      await promisify(execFile)('mkfifo', [history])
      finish(ann, id).catch(() => {})
      await eventually('the file is published', async () => (await ann.names()).length === 1)
      first.child.kill('SIGKILL')
      await first.ended()
      await rm(history)
      await rename(`${history}.kept`, history)
      const again = new Caller(await startServe({ dataFolder: first.dataFolder }), token)
      expect(await again.job(id)).toMatchObject({
        state: 'done',
        error: null,
        files: { done: 2, unchanged: 1, failed: 0 },
      })
      expect((await finish(again, id)).json.published).toMatchObject({ files: 1, created: 1, unchanged: 1, bytes: 1 })
      expect(await again.names()).toEqual(['photos/a'])
      expect(await partialNames(first.dataFolder)).toEqual([])
    })
  })
})
