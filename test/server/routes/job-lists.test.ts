import { describe, expect, it } from 'vitest'
import { type Caller, holdUpload } from '../../helpers/calls.js'
import { shareServer } from '../../helpers/shared-server.js'

describe('GET /jobs', () => {
  const shared = shareServer()
  const filesOf = async (caller: Caller, query: string) => {
    const { status, json } = await caller.call(`/jobs?${query}`)
    expect(status, query).toBe(200)
    return json.jobs.map(({ file }: { file: string }) => file)
  }

  it('filters by the time of the end; a job without one has ended neither before nor after', async () => {
    const ann = await shared.newCaller()
    for (const name of ['first', 'second', 'third']) await ann.put(name, 'x')
    const { jobs } = (await ann.call('/jobs')).json
    const second = jobs.find(({ file }: { file: string }) => file === 'second').endedAt
    const later = new Date(Date.parse(second) + 1).toISOString()
    const held = await holdUpload(ann, 'running')
    const names = async (query: string) => new Set(await filesOf(ann, query))
    const all = await names('from=2020-01-01T00:00:00Z')
    expect(all).toEqual(new Set(['running', 'first', 'second', 'third']))
    expect(await names(`from=${second}&to=${later}`)).toContain('second')
    expect(await names(`to=${second}`)).not.toContain('second')
    expect(await names(`from=${second}`)).toContain('running')
    expect(await names(`to=${later}`)).not.toContain('running')
    expect(await names(`from=${encodeURIComponent('2999-01-01T00:00:00+01:00')}`)).toEqual(new Set(['running']))
    held.finish()
    await held.answer
  })

  it('filters by the code of a failure, and pages through', async () => {
    const ann = await shared.newCaller()
    const digest = `sha-256=:${Buffer.alloc(32).toString('base64')}:`
    for (const name of ['a', 'b', 'c']) {
      expect((await ann.put(name, 'content', { 'Repr-Digest': digest })).status).toBe(422)
      await ann.put(`fine-${name}`, 'content')
    }
    expect(await filesOf(ann, 'error=digest-mismatch')).toEqual(['c', 'b', 'a'])
    expect(await filesOf(ann, 'error=digest-mismatch&kind=export')).toEqual([])
    expect(await filesOf(ann, 'error=digest-mismatch&state=done')).toEqual([])
    expect(await filesOf(ann, 'error=disk-full')).toEqual([])
    const first = (await ann.call('/jobs?error=digest-mismatch&limit=2')).json
    expect(first.jobs).toHaveLength(2)
    expect(await filesOf(ann, `error=digest-mismatch&limit=2&cursor=${first.next}`)).toEqual(['a'])
  })

  it('has the jobs of one account, for admins', async () => {
    const [ann, bob, admin] = [await shared.newCaller(), await shared.newCaller(), await shared.admin()]
    await ann.put('of-ann', 'x')
    await bob.put('of-bob', 'x')
    const { account } = (await ann.call('/auth/me')).json
    expect(await filesOf(admin, `account=${account}`)).toEqual(['of-ann'])
    const refused = (query: string, caller = admin) => caller.call(`/jobs?${query}`)
    expect(await refused(`account=${account}`, bob)).toMatchObject({ status: 403, json: { code: 'not-allowed' } })
    expect(await refused('account=user:nobody')).toMatchObject({ status: 404, json: { code: 'account-not-found' } })
  })

  it('refuses what is no filter, naming it', async () => {
    const ann = await shared.newCaller()
    for (const [query, field] of [
      ['from=yesterday', 'from'],
      ['to=2026-01-01', 'to'],
      ['error=nonsense', 'error'],
      ['account=bob', 'account'],
    ] as const) {
      const answer = await ann.call(`/jobs?${query}`)
      expect(answer.json, query).toMatchObject({ status: 400, code: 'invalid-request', field })
    }
  })
})

describe('GET /jobs/ID', () => {
  const shared = shareServer()

  it('has the receipt of a stopped job', async () => {
    const ann = await shared.newCaller()
    const held = await holdUpload(ann, 'held')
    expect((await ann.call(`/jobs/${held.id}`)).json).toMatchObject({ state: 'running', receipt: null, query: null })
    const receipt = (await ann.post(`/jobs/${held.id}/stop`)).json
    expect((await ann.call(`/jobs/${held.id}`)).json).toMatchObject({ state: 'stopped', receipt })
  })

  it('has the SQL of a query, also of one that was refused, and the beginning of a long one', async () => {
    const ann = await shared.newCaller()
    const jobOf = async (sql: string) => {
      const { headers } = await ann.post('/query', { sql })
      return (await ann.call(`/jobs/${headers['filejobs-job']}`)).json
    }
    expect(await jobOf('select 1 as one')).toMatchObject({ kind: 'query', state: 'done', query: 'select 1 as one' })
    expect(await jobOf('select nonsense from')).toMatchObject({ state: 'failed', query: 'select nonsense from' })
    const long = `select '${'x'.repeat(5000)}' as long`
    expect((await jobOf(long)).query).toBe(`${long.slice(0, 2000)}…`)
  })
})
