import { randomBytes } from 'node:crypto'
import http from 'node:http'
import { describe, expect, it } from 'vitest'
import { resetSharedPassword } from '../../dist/server/reset-password.js'
import { Caller } from '../helpers/calls.js'
import { eventually } from '../helpers/eventually.js'
import { openClient } from '../helpers/program.js'
import { databaseOption, emptyPlace, hasCluster, placeVariables, startCluster } from './helpers/servers.js'

describe.skipIf(!hasCluster)('filejobs accounts reset-password --database', () => {
  it('sets a password while servers run, ends the sessions, and stops what they transfer', async () => {
    const place = await emptyPlace()
    const cluster = await startCluster(2, { place })
    const [here, there] = await cluster.logIn('ann')
    const headers = { Authorization: `Bearer ${there!.token}`, 'Content-Length': 1_000_000 }
    const upload = http.request(`${cluster.servers[1]!.url}/files/half.bin`, { method: 'PUT', headers })
    const answered = new Promise<http.IncomingMessage>((resolve) => upload.on('response', resolve))
    upload.write(randomBytes(1000))
    await eventually('the upload runs', async () => (await here!.call('/jobs?state=running')).json.jobs.length === 1)
    const client = await openClient(cluster.servers[0]!.url)
    const reset = ['accounts', 'reset-password', 'ann', '--database']
    const { code, stdout, stderr } = await client.run(reset, { env: placeVariables(place) })
    expect([code, stderr]).toEqual([0, expect.stringMatching(/shown only once/)])
    expect((await answered).statusCode).toBe(409)
    for (const caller of [here!, there!]) expect((await caller.call('/jobs')).status).toBe(401)
    const login = { username: 'ann', password: stdout.trim() }
    const again = await new Caller(cluster.servers[1]!, '').post('/auth/login', login)
    expect(again.status).toBe(200)
    const [job] = (await new Caller(cluster.servers[0]!, again.json.token).call('/jobs')).json.jobs
    expect(job).toMatchObject({ state: 'stopped', stoppedBy: 'operator' })
  })

  it('is refused for an unknown account, a database without a schema, and a password in the flag', async () => {
    const place = await emptyPlace()
    const url = databaseOption(place.database)
    await expect(resetSharedPassword(url, 'admin:admin')).rejects.toMatchObject({ code: 'storage-unavailable' })
    await startCluster(1, { place })
    await expect(resetSharedPassword(url, 'admin:ann')).rejects.toThrow(
      'There is no account admin:ann in the database; its admins: admin:admin.',
    )
    const client = await openClient()
    const reset = (...args: string[]) => client.runHere(['accounts', 'reset-password', 'admin:admin', ...args])
    expect(await reset('--database', 'postgres://me:secret@db/files')).toMatchObject({ code: 2 })
    expect(await reset('--database')).toMatchObject({ code: 2, stderr: expect.stringContaining('FILEJOBS_DATABASE') })
    expect(await reset('--database', 'postgres://me@db/files', '--data', '.')).toMatchObject({ code: 2 })
  })
})
