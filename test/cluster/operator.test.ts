import { rm } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { describe, expect, inject, it } from 'vitest'
import { holdUpload } from '../helpers/calls.js'
import { eventually } from '../helpers/eventually.js'
import { emptyPlace, hasCluster, startCluster } from './helpers/servers.js'

describe.skipIf(!hasCluster)('what an admin sees of several servers', () => {
  it('names each of them, with its state, and the one that answers', async () => {
    const cluster = await startCluster(2)
    const admins = await cluster.logInAdmin()
    const nodesOf = async (at: number) => (await admins[at]!.call('/server')).json.nodes
    const [here, there] = [await nodesOf(0), await nodesOf(1)]
    for (const nodes of [here, there]) {
      expect(nodes).toHaveLength(2)
      for (const node of nodes) {
        expect(node).toMatchObject({ name: hostname(), version: expect.stringMatching(/^\d/), isAlive: true })
      }
      const addresses = nodes.map(({ address }: { address: string }) => address).sort()
      expect(addresses).toEqual(cluster.servers.map(({ url }) => url).sort())
    }
    const selfOf = (nodes: { isSelf: boolean }[]) => nodes.filter(({ isSelf }) => isSelf)
    expect(selfOf(here)).toMatchObject([{ address: cluster.servers[0]!.url }])
    expect(selfOf(there)).toMatchObject([{ address: cluster.servers[1]!.url }])
    cluster.servers[1]!.child.kill('SIGKILL')
    await eventually('the dead one is gone from the list', async () => (await nodesOf(0)).length === 1)
  })

  it('is a log of the server that answers', async () => {
    const cluster = await startCluster(2)
    const [here, there] = await cluster.logInAdmin()
    await here!.call('/healthz')
    const hasLine = async (admin: typeof here) => {
      const { lines } = (await admin!.call('/server/log')).json
      return lines.some(({ message }: { message: string }) => message === 'GET /healthz 200')
    }
    await eventually('its line', () => hasLine(here))
    expect(await hasLine(there)).toBe(false)
  })

  it('is a check that names files whose bytes are gone from the bucket', async () => {
    const place = await emptyPlace()
    const cluster = await startCluster(1, { place })
    const [ann] = await cluster.logIn('ann')
    const [admin] = await cluster.logInAdmin()
    await ann!.put('fine.txt', 'content')
    expect((await admin!.post('/server/check')).json).toMatchObject({ isComplete: true, findings: [] })
    const before = new Set(cluster.keys())
    await ann!.put('lost.txt', 'other content')
    const [key] = cluster.keys().filter((each) => !before.has(each) && each.startsWith('o/'))
    await rm(join(inject('bucket')!.folder, place.prefix, key!))
    const { findings } = (await admin!.post('/server/check')).json
    const fault = `its object ${key} is missing in the bucket`
    expect(findings).toEqual([{ severity: 'damage', subject: 'user:ann/lost.txt', fault }])
  })

  it('is the number of jobs that an account has on all servers', async () => {
    const cluster = await startCluster(2, { args: ['--jobs-per-account', '4'] })
    const callers = await cluster.logIn('ann')
    const [admin] = await cluster.logInAdmin()
    const held = await Promise.all(callers.map((caller, at) => holdUpload(caller, `held-${at}`)))
    const jobs = async () => {
      const { accounts } = (await admin!.call('/accounts')).json
      return accounts.find(({ username }: { username: string }) => username === 'ann').jobs
    }
    expect(await jobs()).toBe(2)
    for (const each of held) each.finish()
    await Promise.all(held.map(({ answer }) => answer))
    expect(await jobs()).toBe(0)
  })
})
