import { randomUUID } from 'node:crypto'
import { mkdir, readdir, rm, truncate, writeFile } from 'node:fs/promises'
import type { ClientRequest } from 'node:http'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { systemClock } from '../../../dist/server/clock.js'
import { Jobs } from '../../../dist/server/jobs/jobs.js'
import { LocalSlots } from '../../../dist/server/jobs/local-slots.js'
import { Throttle } from '../../../dist/server/jobs/throttle.js'
import type { Account } from '../../../dist/server/stores/accounts.js'
import { openLocalFiles } from '../../../dist/server/stores/local/files.js'
import { openJobHistory } from '../../../dist/server/stores/local/job-history.js'
import { LocalSpace } from '../../../dist/server/stores/local/space.js'
import { Uploads } from '../../../dist/server/transfers/uploads.js'
import { answerOf, Caller, holdUpload } from '../../helpers/calls.js'
import { eventually, within } from '../../helpers/eventually.js'
import { noFolders } from '../../helpers/no-folders.js'
import { noRequests } from '../../helpers/no-requests.js'
import { onlyLocal } from '../../helpers/only-local.js'
import { startOutside } from '../../helpers/outside-program.js'
import { startTestServer } from '../../helpers/server.js'
import { shareServer } from '../../helpers/shared-server.js'
import { partialNames } from '../../helpers/stored-state.js'
import { hasProgram } from '../../helpers/system-programs.js'
import { temporaryFolder } from '../../helpers/temporary-folder.js'
import { isFleet } from '../../run/is-cluster.js'

const shared = shareServer({ shutdownGraceMs: 0 })
const MiB = 1024 ** 2
/** In milliseconds. It takes 50; one that waited for its sender would take ten minutes. */
const soon = 15_000
const gotSender = fileURLToPath(new URL('../../helpers/got-sender.mjs', import.meta.url))

describe('a stopped upload', () => {
  describe.each(['with a length', 'in chunks', 'by form'] as const)('%s', (door) => {
    it.each(['fast', 'slow', 'silent', 'paused'] as const)(
      'from a %s client is answered 409 and leaves nothing',
      async (pace) => {
        const ann = await shared.newCaller()
        const id = randomUUID()
        const request = openDoor(ann, door, id)
        const answer = answerOf(request)
        const sender = send(request, pace)
        await eventually('it runs', async () => (await ann.job(id)).bytes > 0)
        if (pace === 'paused') expect((await ann.post(`/jobs/${id}/pause`)).json.state).toBe('paused')
        const receipt = await ann.post('/upload/stop')
        const left = await partials()

        expect(receipt).toMatchObject({
          status: 200,
          json: { job: { id, state: 'stopped', account: receipt.json.stoppedBy } },
        })
        expect(receipt.json).toMatchObject({ cleanedUp: true, bytesDiscarded: receipt.json.job.bytes })
        expect(receipt.json.tookMs).toBeLessThan(soon)
        expect(left.filter((name) => name.startsWith(id))).toEqual([])
        const { status, json, headers } = await within('the answer to the sender', answer)
        expect(status).toBe(409)
        expect(json).toMatchObject({ code: 'job-stopped', stoppedBy: receipt.json.stoppedBy, job: { id } })
        expect(headers).toMatchObject({ connection: 'close', 'filejobs-job': id })
        sender.end()
        expect((await ann.put('next', 'next')).status).toBe(201)
        expect(await ann.names()).toEqual(['next'])
      },
    )
  })

  it.each(['fast', 'slow'] as const)(
    'is reported by got, %s and in a separate process, eight times of eight',
    async (pace) => {
      const ann = await shared.newCaller()
      const got = startOutside(process.execPath, [gotSender, `${ann.url}/files/a`, ann.token, pace, '8'])
      for (let time = 1; time <= 8; time++) {
        const id = await got.says(new RegExp(`^upload ${time} (\\S+)$`, 'm'))
        await eventually('it runs', async () => (await ann.job(id[1]!)).bytes > 0)
        expect((await ann.post('/upload/stop')).status).toBe(200)
        await got.says(new RegExp(`^answer ${time} `, 'm'))
      }
      const { stdout } = await got.ended
      expect(stdout.match(/^answer \d .*$/gm)).toEqual(
        Array.from({ length: 8 }, (_, index) => `answer ${index + 1} 409 job-stopped`),
      )
    },
  )

  it.each(['fast', 'slow'] as const)('is reported by undici, %s', async (pace) => {
    const ann = await shared.newCaller()
    const id = randomUUID()
    const upload = fetch(`${ann.url}/files/a`, {
      method: 'PUT',
      body: Readable.toWeb(Readable.from(bytes(pace))) as ReadableStream,
      headers: { Authorization: `Bearer ${ann.token}`, 'Filejobs-Job': id },
      duplex: 'half',
    } as RequestInit)
    await eventually('it runs', async () => (await ann.job(id)).bytes > 0)
    expect((await ann.post('/upload/stop')).status).toBe(200)
    expect(await (await upload).json()).toMatchObject({ code: 'job-stopped' })
  })

  it.skipIf(!hasProgram('curl')).each([
    ['-T', ['-T', 'big'], 'files/big'],
    ['-T of a pipe', ['-T', '-'], 'files/big'],
    ['-F', ['-F', 'file=@big'], 'upload'],
    ['-T at a limited rate', ['-T', 'big', '--limit-rate', '1M'], 'files/big'],
    ['-T --http1.0', ['-T', 'big', '--http1.0'], 'files/big'],
  ])('is reported by curl %s', async (_name, args, path) => {
    const ann = await shared.newCaller()
    const folder = await temporaryFolder()
    await writeFile(join(folder, 'big'), '')
    await truncate(join(folder, 'big'), 20 * 1024 * MiB)
    const id = randomUUID()
    const headers = ['-H', `Authorization: Bearer ${ann.token}`, '-H', `Filejobs-Job: ${id}`]
    const curl = startOutside('curl', ['-sS', '-w', '\n%{http_code}', ...headers, ...args, `${ann.url}/${path}`], {
      cwd: folder,
    })
    if (args.includes('-')) feedForever(curl.child.stdin!)
    await eventually('it runs', async () => (await ann.job(id)).bytes > 0)
    expect((await ann.post(`/jobs/${id}/stop`)).status).toBe(200)
    curl.child.stdin?.destroy()
    const { stdout } = await within('the end of curl', curl.ended, 60_000)
    expect(stdout).toMatch(/"code":"job-stopped".*\n409$/s)
  })

  it('by form leaves none of the earlier files', async () => {
    const ann = await shared.newCaller()
    const id = randomUUID()
    const request = openDoor(ann, 'by form', id)
    const answer = answerOf(request)
    request.write(
      `first of all\r\n--b\r\nContent-Disposition: form-data; name="f"; filename="second"\r\n\r\nand the second`,
    )
    await eventually(
      'both have come',
      async () => (await partials()).filter((name) => name.startsWith(id)).length === 2,
    )
    expect((await ann.post('/upload/stop')).status).toBe(200)
    expect((await partials()).filter((name) => name.startsWith(id))).toEqual([])
    expect((await answer).json.code).toBe('job-stopped')
    expect(await ann.names()).toEqual([])
  })

  it('can be stopped again, also by id: the receipt is the same', async () => {
    const ann = await shared.newCaller()
    const held = await holdUpload(ann, 'a')
    const { receipts, ...receipt } = (await ann.post('/upload/stop')).json
    expect(receipts).toEqual([receipt])
    expect((await ann.post(`/jobs/${held.id}/stop`)).json).toEqual(receipt)
    const other = await holdUpload(ann, 'b')
    const [first, second] = await Promise.all([1, 2].map(() => ann.post(`/jobs/${other.id}/stop`)))
    expect(first).toMatchObject({ status: 200, json: { job: { id: other.id } } })
    expect(second!.json).toEqual(first!.json)
  })

  onlyLocal('what the test replaces is a partial on the disk', () => {
    it('whose partial cannot be removed ends with a receipt that says so', async () => {
      const server = await startTestServer({ shutdownGraceMs: 0 })
      onTestFinished(() => server.close())
      const ann = new Caller(server, await server.logIn('ann'))
      const held = await holdUpload(ann, 'a')
      const partial = join(server.dataFolder, 'partial', `${held.id}.bin`)
      await rm(partial)
      await mkdir(partial)
      const { status, json } = await ann.post('/upload/stop')
      await rm(partial, { recursive: true })
      expect({ status, json }).toMatchObject({ status: 200, json: { cleanedUp: false, job: { state: 'stopped' } } })
      expect((await held.answer).json.code).toBe('job-stopped')
      expect((await ann.put('next', 'next')).status).toBe(201)
      expect(server.errors).toEqual([expect.stringContaining(`What the upload ${held.id} left could not be removed`)])
    })
  })

  it('is stopped or published, never both, whenever the stop arrives', async () => {
    const ann = await shared.newCaller()
    const body = Buffer.alloc(3 * MiB, 'x')
    const seen = { stopped: 0, published: 0 }
    // So few that they fit between two servers that are killed.
    const rounds = isFleet ? 40 : 100
    for (let round = 0; round < rounds; round++) {
      const name = `race-${round}`
      const id = randomUUID()
      const request = ann.open(`/files/${name}`, {
        method: 'PUT',
        headers: { 'Content-Length': body.length, 'Filejobs-Job': id },
      })
      const answer = answerOf(request)
      request.write(body.subarray(1))
      await eventually('it runs', async () => (await ann.job(id)).bytes > 0)
      // Meets the last byte, the digest, the sync, the rename and the time after it; the first and the last of twenty, on
      // whatever disk, the time before and after all of them.
      const moment = round % 20
      if (moment > 0) request.end('x')
      await (moment === 19 ? answer : delay(moment / 2))
      const stop = await ann.post(`/jobs/${id}/stop`)
      if (moment === 0) request.end('x')
      const there = (await ann.call(`/files/${name}`, { method: 'HEAD' })).status === 200
      const { status } = await answer
      if (stop.status === 200) {
        seen.stopped++
        expect({ round, there, status, partials: (await partials()).filter((file) => file.startsWith(id)) }).toEqual({
          round,
          there: false,
          status: 409,
          partials: [],
        })
      } else {
        seen.published++
        expect({ round, there, status, code: stop.json.code }).toEqual({
          round,
          there: true,
          status: 201,
          code: 'already-published',
        })
      }
    }
    expect(seen.stopped).toBeGreaterThan(0)
    expect(seen.published).toBeGreaterThan(0)
  })

  it('is answered even if the disk never completes the sync', async () => {
    const folder = await temporaryFolder()
    const { files, partials, capacity, close } = await openLocalFiles(folder)
    const history = await openJobHistory(folder, (error) => expect.unreachable(String(error)))
    onTestFinished(async () => {
      await close()
      await history.close()
    })
    let syncs = 0
    const create = partials.create.bind(partials)
    vi.spyOn(partials, 'create').mockImplementation(async (id) => {
      const partial = await create(id)
      vi.spyOn(partial, 'sync').mockImplementation(() => {
        syncs++
        return new Promise(() => {})
      })
      return partial
    })
    const slots = new LocalSlots({ history, lastSeq: history.lastSeq, jobsPerAccount: 1, clock: systemClock })
    const jobs = new Jobs(history, { slots, clock: systemClock })
    const space = new LocalSpace(
      { ...capacity, usage: (ofAccount) => files.usage(ofAccount) },
      { maxFileSize: null, quotaOf: async () => null },
    )
    const services = {
      files,
      partials,
      capacity,
      jobs,
      space,
      requests: noRequests,
      folders: noFolders,
      throttleOf: () => new Throttle(null, systemClock),
      clock: systemClock,
      checkAccess: async () => {},
    }
    const account = { id: 1, role: 'user', username: 'ann' } as Account
    const upload = new Uploads({ ...services, idleTimeoutMs: 60_000 }).receiveFile({
      identity: { account, sessionId: 's', revoked: new AbortController().signal },
      name: 'a',
      type: 'text/plain',
      body: Readable.from([Buffer.from('content')]),
      size: 7,
      digests: {},
      lateDigests: () => ({}),
      precondition: {},
      jobId: null,
      waitMs: 0,
      left: new AbortController().signal,
      begin: () => {},
    })
    const refused = expect(upload).rejects.toMatchObject({ code: 'job-stopped' })
    await eventually('all has come, and is to be synced', () => syncs > 0)
    const [job] = jobs.unfinished()
    expect(await within('the receipt', job!.stop('user:ann'))).toMatchObject({ cleanedUp: true, bytesDiscarded: 7 })
    await refused
    expect(await readdir(join(folder, 'partial'))).toEqual([])
    expect(await files.find(account, 'a')).toBeUndefined()
  })

  it('is answered while the digest and the disk are still busy with its bytes', async () => {
    const ann = await shared.newCaller()
    const size = 200 * MiB
    // A disk that is quick enough publishes first: then once more, and on the quickest ones never.
    for (let round = 1; round <= 10; round++) {
      const id = randomUUID()
      const request = ann.open('/files/a', { method: 'PUT', headers: { 'Content-Length': size, 'Filejobs-Job': id } })
      const answer = answerOf(request)
      Readable.from(bytes('fast', size)).pipe(request)
      await eventually('all has come', async () => (await ann.job(id)).bytes === size)
      const stop = await ann.post(`/jobs/${id}/stop`)
      if (stop.status === 409) {
        expect(await answer).toMatchObject({ status: 201 })
        expect((await ann.call('/files/a', { method: 'DELETE' })).status).toBe(204)
        continue
      }
      expect(await answer).toMatchObject({ status: 409, json: { code: 'job-stopped' } })
      expect(stop).toMatchObject({ status: 200, json: { bytesDiscarded: size } })
      expect(stop.json.tookMs).toBeLessThan(soon)
      expect(await ann.names()).toEqual([])
      return
    }
  })
})

async function partials(): Promise<string[]> {
  return partialNames(shared.server.dataFolder)
}

type Pace = 'fast' | 'slow' | 'silent' | 'paused'

function openDoor(caller: Caller, door: 'with a length' | 'in chunks' | 'by form', id: string) {
  const headers = { 'Filejobs-Job': id }
  if (door === 'with a length') {
    return caller.open('/files/a', { method: 'PUT', headers: { ...headers, 'Content-Length': 20 * 1024 * MiB } })
  }
  if (door === 'in chunks') return caller.open('/files/a', { method: 'PUT', headers })
  const request = caller.open('/upload', {
    method: 'POST',
    headers: { ...headers, 'Content-Type': 'multipart/form-data; boundary=b' },
  })
  request.write('--b\r\nContent-Disposition: form-data; name="f"; filename="a"\r\n\r\n')
  return request
}

/** Sends without end at a pace; a silent one sends a little and then nothing. */
function send(request: ClientRequest, pace: Pace): { end(): void } {
  const chunk = Buffer.alloc(pace === 'fast' || pace === 'paused' ? MiB : 1000, 'x')
  let ended = false
  const closed = new Promise((resolve) => request.once('close', resolve))
  const go = async () => {
    do {
      if (!request.write(chunk)) await Promise.race([new Promise((resolve) => request.once('drain', resolve)), closed])
      if (pace === 'slow') await delay(5)
    } while (!ended && !request.destroyed && pace !== 'silent')
  }
  request.on('error', () => {})
  go().catch(() => {})
  return {
    end() {
      ended = true
    },
  }
}

async function* bytes(pace: 'fast' | 'slow', total = 2_000_000_000) {
  const chunk = Buffer.alloc(pace === 'fast' ? MiB : 1000, 'x')
  for (let sent = 0; sent < total; sent += chunk.length) {
    yield chunk
    if (pace === 'slow') await delay(5)
  }
}

function feedForever(stdin: NodeJS.WritableStream): void {
  const chunk = Buffer.alloc(MiB, 'x')
  const feed = () => {
    while (stdin.writable && stdin.write(chunk));
  }
  stdin.on('drain', feed)
  feed()
}
