import { describe, expect, it } from 'vitest'
import { hasCluster, startCluster } from './helpers/servers.js'

describe.skipIf(!hasCluster)('two servers on one database and bucket', () => {
  it('serve the same accounts and files', async () => {
    const cluster = await startCluster(2)
    const [here, there] = await cluster.logIn('ann')
    const put = await here!.call('/files/a/b.txt', { method: 'PUT', body: 'content' })
    expect(put.status).toBe(201)
    const got = await there!.call('/files/a/b.txt')
    expect([got.status, String(got.body)]).toEqual([200, 'content'])
    const { json } = await there!.call('/jobs')
    expect(json.jobs).toMatchObject([{ kind: 'export' }, { kind: 'upload', state: 'done' }])
  })
})
