import { once } from 'node:events'
import { Agent } from 'node:http'
import { connect } from 'node:net'
import { percentile, spread } from '../lines.mjs'
import { watchLoad } from '../processes.mjs'
import { startSendersAt, until } from '../senders.mjs'
import { signUpMany } from '../servers.mjs'
import { openSharedStorage, startServer, startServers } from '../shared-storage.mjs'
import { stopOne } from '../stops.mjs'
import { bearer, createUpload, offsetOf, startPatch } from '../tus-requests.mjs'

const mebibyte = 1024 ** 2

/** @type {import('../run.mjs').Row[]} */
export const rows = [
  {
    name: 'cluster-stop',
    work: 'stop of an upload by the other one of two servers while 100 others of 20 accounts run on each at 64 KiB/s, from the request to the receipt (p99 of 100)',
    atMost: 150,
    unit: 'ms',
    needs: ['cluster'],
    async measure(lab, _, { isPaired = false } = {}) {
      const storage = await openSharedStorage(lab)
      const [here, there] = await startServers(lab, storage, 2, { flags: ['--jobs-per-account', '1000'] })
      await startSendersAt(lab, [here, there], await signUpMany(here, 20), 100, 65536)
      const agent = new Agent({ keepAlive: true })
      const load = watchLoad()
      const times = []
      while (times.length < (isPaired ? 10 : 100)) {
        const { asked, received } = await stopOne(here, agent, `stopped-${times.length}`, there)
        times.push(received - asked)
      }
      agent.destroy()
      return { figure: percentile(times, 99), detail: `${spread(times)} ms; ${load()}`, times }
    },
  },
  {
    name: 'cluster-killed',
    work: 'kill -9 of one of two servers, as if it were on another machine, until its account can upload at the other one and the bucket has nothing of it (the longest of 20)',
    atMost: 10,
    unit: 's',
    needs: ['cluster'],
    async measure(lab, _, { isPaired = false } = {}) {
      const storage = await openSharedStorage(lab)
      const survivor = await startServer(lab, storage)
      const rounds = isPaired ? 1 : 20
      const load = watchLoad()
      const [elsewhere, here] = [[], []]
      while (elsewhere.length < rounds) elsewhere.push(await killOne(lab, storage, survivor, true))
      while (here.length < rounds) here.push(await killOne(lab, storage, survivor, false))
      const longest = (deaths, part) => Math.max(...deaths.map((death) => death[part])).toFixed(1)
      return {
        figure: Math.max(...elsewhere.map(({ clean }) => clean)),
        detail: `claim ${longest(elsewhere, 'free')} s; on the same machine ${longest(here, 'free')} s, all ${longest(here, 'clean')} s; ${load()}`,
      }
    },
  },
  {
    name: 'cluster-tus',
    work: 'HEAD of an upload by tus at the other one of two servers while a PATCH hangs, the offset exact (p99 of 100)',
    atMost: 150,
    unit: 'ms',
    needs: ['cluster'],
    async measure(lab, _, { isPaired = false } = {}) {
      const servers = await startServers(lab, await openSharedStorage(lab), 2)
      const load = watchLoad()
      const times = []
      while (times.length < (isPaired ? 20 : 100)) times.push(...(await takeOver(servers, 10)))
      return { figure: percentile(times, 99), detail: `${spread(times)} ms; ${load()}`, times }
    },
  },
]

/**
 * Kills a server with an upload under way that has stored some objects. Gives the seconds until its account can upload elsewhere, and until
 * the bucket has none of its objects. `isElsewhere`: the others cannot see its process, only that it no longer renews its lease.
 */
async function killOne(lab, storage, survivor, isElsewhere) {
  const server = await startServer(lab, storage, { token: survivor.token })
  if (isElsewhere) await storage.sql`update nodes set process = null where id = (select max(id) from nodes)`
  const socket = await startUpload(server, 64 * mebibyte, 20 * mebibyte)
  await until('two objects are stored', () => storage.storedBytes() >= 16 * mebibyte)
  server.child.kill('SIGKILL')
  const killedAt = performance.now()
  const seconds = () => (performance.now() - killedAt) / 1000
  socket.destroy()
  const put = { method: 'PUT', body: 'x', headers: { authorization: `Bearer ${survivor.token}` } }
  await until('the claim is free', async () => {
    const { ok, status } = await fetch(`${survivor.url}/files/after.txt`, put)
    if (!ok && status !== 409) throw new Error(`PUT: ${status}`)
    return ok
  })
  const free = seconds()
  await until('nothing is left', () => storage.storedBytes() < mebibyte)
  return { free, clean: seconds() }
}

/** Starts an upload of `size` bytes of which it sends the first ones only. Gives its connection. */
async function startUpload({ url, token }, size, bytes) {
  const { hostname, port } = new URL(url)
  const socket = connect({ host: hostname, port: Number(port) })
  socket.on('error', () => {})
  socket.write(
    `PUT /files/half.bin HTTP/1.1\r\nHost: ${hostname}:${port}\r\nAuthorization: Bearer ${token}\r\n` +
      `Content-Length: ${size}\r\n\r\n`,
  )
  if (!socket.write(Buffer.alloc(bytes))) await once(socket, 'drain')
  return socket
}

/** One upload that goes on at the other server `count` times. Gives the milliseconds of each HEAD; throws if an offset is wrong. */
async function takeOver(servers, count) {
  const length = count * (mebibyte + 1001) + 1
  const location = new URL(await createUpload(`${servers[0].url}/tus`, bearer(servers[0]), length)).pathname
  const job = `/jobs/${location.split('/').at(-1)}`
  const times = []
  for (let offset = 0; times.length < count; ) {
    const [here, there] = times.length % 2 === 0 ? servers : [...servers].reverse()
    const patch = startPatch(here, location, offset, length)
    await patch.send(mebibyte + 1001)
    offset += mebibyte + 1001
    await until('the bytes have arrived', async () => (await here.call(job)).bytes === offset)
    const askedAt = performance.now()
    const found = await offsetOf(there, location)
    times.push(performance.now() - askedAt)
    patch.socket.destroy()
    if (found !== offset) throw new Error(`HEAD said ${found}, of ${offset} bytes that had arrived.`)
  }
  await servers[0].call(`${job}/stop`, { method: 'POST' })
  return times
}
