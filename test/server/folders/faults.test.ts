import { describe, expect, it, onTestFinished } from 'vitest'
import { Caller } from '../../helpers/calls.js'
import { eventually } from '../../helpers/eventually.js'
import { finish, holdStreams, openFolderJob, partOf, untilJob } from '../../helpers/folder-jobs.js'
import { onlyLocal } from '../../helpers/only-local.js'
import { startTestServer } from '../../helpers/server.js'
import { shareServer } from '../../helpers/shared-server.js'
import { canMount, startOnSmallDisk } from '../../helpers/small-disk.js'
import { partialNames } from '../../helpers/stored-state.js'
import { TestClock } from '../../helpers/test-clock.js'

const shared = shareServer({ shutdownGraceMs: 0 })
const incomplete = { status: 409, json: { code: 'files-failed' } }

/** What is left of a job of many files, one of which is whole, after each kind of fault. */
describe.each(['each', 'together'] as const)('of a job that publishes %s', (publish) => {
  const whole = publish === 'each' ? ['photos/whole'] : []

  async function open(ann: Caller): Promise<string> {
    const id = await openFolderJob(ann, 'photos/', { publish })
    expect((await ann.put('photos/whole', 'whole', partOf(id))).status).toBe(201)
    return id
  }

  async function expectLeft(ann: Caller, dataFolder: string): Promise<void> {
    expect(await ann.names()).toEqual(whole)
    await eventually('nothing else is on the disk', async () => (await partialNames(dataFolder)).length === 0)
  }

  const dataFolder = () => shared.server.dataFolder

  it.each(['its own account', 'an admin'])('whole files only are left after a stop by %s', async (who) => {
    const ann = await shared.newCaller()
    const id = await open(ann)
    const [stream] = await holdStreams(ann, id, ['photos/half'])
    const by = who === 'an admin' ? await shared.admin() : ann
    const receipt = await by.post(`/jobs/${id}/stop`)
    expect(receipt.json).toMatchObject({ published: { files: whole.length }, cleanedUp: true })
    expect((await stream!.answer).json).toMatchObject({ code: 'job-stopped' })
    await expectLeft(ann, dataFolder())
  })

  it('whole files only are left when its session is revoked', async () => {
    const ann = await shared.newCaller()
    const { username } = (await ann.call('/auth/me')).json
    const id = await open(ann)
    const [stream] = await holdStreams(ann, id, ['photos/half'])
    stream!.answer.catch(() => {})
    const { token } = (await ann.post('/auth/login', { username, password: 'correct horse' })).json
    await ann.post('/auth/logout')
    const again = new Caller(shared.server, token)
    await untilJob(again, id, 'stopped')
    await expectLeft(again, dataFolder())
  })

  it('whole files only are left when its client was killed, and it has expired', async () => {
    const { ann, clock, server } = await startAtTestClock({ keepPartialMs: 60_000 })
    const id = await open(ann)
    const [stream] = await holdStreams(ann, id, ['photos/half'])
    stream!.request.destroy()
    await eventually('its stream has failed', async () => (await ann.job(id)).files?.failed === 1)
    await clock.advance(31_000)
    expect((await ann.job(id)).state).toBe('interrupted')
    await clock.advance(90_000)
    await untilJob(ann, id, 'failed')
    await expectLeft(ann, server.dataFolder)
  })

  it('a file fails whose network has died, and is sent again with the others', async () => {
    const { ann, clock, server } = await startAtTestClock({ idleTimeoutMs: 20_000 })
    const id = await open(ann)
    const [stream] = await holdStreams(ann, id, ['photos/half'])
    stream!.answer.catch(() => {})
    await clock.advance(25_000)
    await eventually('its stream has failed', async () => (await ann.job(id)).files?.failed === 1)
    expect((await ann.job(id)).files?.failures).toMatchObject([{ name: 'photos/half', code: 'stalled' }])
    await ann.put('photos/half', 'again', partOf(id))
    expect((await finish(ann, id)).json.published).toMatchObject({ files: 2, failed: 0 })
    expect(await ann.names()).toEqual(['photos/half', 'photos/whole'])
    await eventually('nothing else', async () => (await partialNames(server.dataFolder)).length === 0)
  })

  it.each([
    ['a name that is refused', 'photos/a%5Cb', 'x', {}, 400],
    ['a wrong digest', 'photos/a', 'x', { 'Repr-Digest': `sha-256=:${'A'.repeat(43)}=:` }, 422],
    ['a false precondition', 'photos/a', 'x', { 'If-Match': '"other"' }, 412],
  ])(
    'whole files only are left, and none of those that belong together, after %s',
    async (_, name, content, headers, status) => {
      const ann = await shared.newCaller()
      const id = await open(ann)
      expect((await ann.put(name, content, partOf(id, headers))).status).toBe(status)
      // A name that is refused is not a file: its client tells about it.
      if (status === 400) {
        await ann.post(`/jobs/${id}/failed`, { files: [{ name: 'photos/a', code: 'invalid-request', message: 'No.' }] })
      }
      const finished = await finish(ann, id)
      if (publish === 'each') expect(finished.json.published).toMatchObject({ files: 1, failed: 1 })
      else {
        expect(finished).toMatchObject(incomplete)
        expect(finished.json.message).toMatch(/^Nothing was published, because 1 file failed: photos\/a: /)
        expect(await ann.job(id)).toMatchObject({ state: 'failed', error: { code: 'files-failed' } })
        expect(await finish(ann, id)).toMatchObject({ status: 409 })
      }
      await expectLeft(ann, dataFolder())
    },
  )

  it('whole files only are left, and none of those that belong together, at the end of the quota', async () => {
    const { ann, server } = await startAtTestClock({ quota: 1000 })
    const id = await open(ann)
    const refused = await ann.put('photos/large', 'x'.repeat(2000), partOf(id))
    expect(refused).toMatchObject({ status: 413, json: { code: 'quota-exceeded' } })
    const finished = await finish(ann, id)
    if (publish === 'each') expect(finished.json.published).toMatchObject({ files: 1, failed: 1 })
    else expect(finished).toMatchObject(incomplete)
    await expectLeft(ann, server.dataFolder)
  })

  onlyLocal('a bucket has no disk that fills', () => {
    it.skipIf(!canMount)(
      'whole files only are left, and none of those that belong together, on a full disk',
      async () => {
        const { ann, fill, free, folder } = await startOnSmallDisk()
        const id = await open(ann)
        await fill()
        const refused = await ann.put('photos/large', Buffer.alloc(4 * 1024 ** 2), partOf(id))
        expect(refused).toMatchObject({ status: 507, json: { code: 'disk-full' } })
        await free()
        const finished = await finish(ann, id)
        if (publish === 'each') expect(finished.json.published).toMatchObject({ files: 1, failed: 1 })
        else expect(finished).toMatchObject(incomplete)
        await expectLeft(ann, `${folder}/data`)
      },
    )
  })
})

async function startAtTestClock(changes: Parameters<typeof startTestServer>[0] = {}) {
  const clock = new TestClock()
  const server = await startTestServer({ shutdownGraceMs: 0, ...changes }, clock)
  onTestFinished(() => server.close())
  return { ann: new Caller(server, await server.logIn('ann')), clock, server }
}
