import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import http from 'node:http'
import { describe, expect, it } from 'vitest'
import { Caller } from '../helpers/calls.js'
import { eventually } from '../helpers/eventually.js'
import type { ServeProcess } from '../helpers/serve.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'
import { hasCluster, startCluster } from './helpers/servers.js'

describe.skipIf(!hasCluster)('a server that was killed', () => {
  it('has no claim when it is started again, however often', async () => {
    const dataFolder = await temporaryFolder()
    const cluster = await startCluster(0)
    let server = await cluster.add({ dataFolder })
    const { token } = (await cluster.logIn('ann'))[0]!
    for (let round = 0; round < 5; round++) {
      await uploadHalf(server, token)
      server.child.kill('SIGKILL')
      await server.ended()
      server = await cluster.add({ dataFolder })
      const caller = new Caller(server, token)
      expect(await caller.put('file.bin', randomBytes(1000))).toMatchObject({ status: round === 0 ? 201 : 200 })
      expect((await caller.call('/jobs?state=running,paused,waiting')).json.jobs).toEqual([])
    }
    const caller = new Caller(server, token)
    const { jobs } = (await caller.call('/jobs?limit=100')).json
    expect(jobs.map(({ state }: { state: string }) => state)).toEqual(Array(5).fill(['done', 'failed']).flat())
    expect(await cluster.database.connect(1)`select id from nodes`).toHaveLength(1)
  })
})

/** Returns while the server receives the upload. */
async function uploadHalf(server: ServeProcess, token: string): Promise<void> {
  const headers = { Authorization: `Bearer ${token}`, 'Content-Length': 1_000_000 }
  const request = http.request(`${server.url}/files/half.bin`, { method: 'PUT', headers })
  request.on('error', () => {})
  request.write(randomBytes(1000))
  await once(request, 'socket')
  const caller = new Caller(server, token)
  await eventually('the upload runs', async () => (await caller.call('/jobs?state=running')).json.jobs.length === 1)
}
