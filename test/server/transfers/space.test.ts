import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { LocalSpace } from '../../../dist/server/stores/local/space.js'
import { type Answer, answerOf, type Caller, holdUpload } from '../../helpers/calls.js'
import { onlyLocal } from '../../helpers/only-local.js'
import { shareServer } from '../../helpers/shared-server.js'
import { canMount, startOnSmallDisk } from '../../helpers/small-disk.js'
import { partialNames } from '../../helpers/stored-state.js'
import { tarOf } from '../../helpers/tars.js'
import { idOf, Tus } from '../../helpers/tus.js'

const MiB = 1024 ** 2

describe('the maximum file size', () => {
  const shared = shareServer({ maxFileSize: MiB, shutdownGraceMs: 0 })

  it('is accepted, and one byte more is not, with a length, in chunks and by form', async () => {
    const ann = await shared.newCaller()
    const fits = Buffer.alloc(MiB, 'x')
    const tooLarge = Buffer.alloc(MiB + 1, 'x')
    const doors: ((body: Buffer) => Promise<{ status: number; json: { code: string } }>)[] = [
      (body) => ann.put('a', body),
      (body) => inChunks(ann, 'b', body),
      (body) => byForm(ann, 'c', body),
    ]
    for (const upload of doors) {
      expect(await upload(tooLarge)).toMatchObject({ status: 413, json: { code: 'file-too-large', maxFileSize: MiB } })
      expect((await upload(fits)).status).toBe(201)
    }
    expect(await ann.names()).toEqual(['a', 'b', 'c'])
    expect(await partialNames(shared.server.dataFolder)).toEqual([])
  })

  it('ends a body of unknown length as soon as it is exceeded', async () => {
    const ann = await shared.newCaller()
    const request = ann.open('/files/a', { method: 'PUT' })
    const answer = answerOf(request)
    request.write(Buffer.alloc(2 * MiB))
    expect(await answer).toMatchObject({ status: 413, json: { code: 'file-too-large' } })
    request.destroy()
  })
})

describe('the quota of an account', () => {
  const shared = shareServer({ quota: 10 * MiB, jobsPerAccount: 8, shutdownGraceMs: 0 })

  it('counts stored files, uploads in progress, and space freed by a replacement', async () => {
    const ann = await shared.newCaller()
    await ann.put('a', Buffer.alloc(6 * MiB))
    const first = await holdUpload(ann, 'b', { size: 3 * MiB })
    const refused = await ann.put('c', Buffer.alloc(2 * MiB))
    expect(refused).toMatchObject({ status: 413, json: { code: 'quota-exceeded', used: 6 * MiB } })
    expect((await ann.put('c', Buffer.alloc(MiB))).status).toBe(201)
    expect((await ann.put('a', Buffer.alloc(6 * MiB))).status).toBe(200)
    await ann.post(`/jobs/${first.id}/stop`)
    expect((await ann.put('d', Buffer.alloc(3 * MiB))).status).toBe(201)
    expect(await ann.put('e', 'x')).toMatchObject({ status: 413, json: { code: 'quota-exceeded' } })
    await ann.call('/files/a', { method: 'DELETE' })
    expect((await ann.put('e', Buffer.alloc(6 * MiB))).status).toBe(201)
  })

  onlyLocal('a bucket has no files that are put there by hand', () => {
    it('counts files put there by hand, and is separate for each account', async () => {
      const [ann, bob] = [await shared.newCaller(), await shared.newCaller()]
      const { username } = (await ann.call('/auth/me')).json
      const folder = join(shared.server.dataFolder, 'uploads/user', username, 'sub')
      await mkdir(folder, { recursive: true })
      await writeFile(join(folder, 'by-hand'), Buffer.alloc(9 * MiB))
      expect((await ann.put('a', Buffer.alloc(2 * MiB))).status).toBe(413)
      expect((await bob.put('a', Buffer.alloc(9 * MiB))).status).toBe(201)
    })
  })

  it('is never exceeded by concurrent uploads, with a length or without', async () => {
    for (const upload of [(caller: Caller, name: string, body: Buffer) => caller.put(name, body), inChunks]) {
      const ann = await shared.newCaller()
      const answers = await Promise.all(
        Array.from({ length: 8 }, (_, index) => upload(ann, `f${index}`, Buffer.alloc(3 * MiB, index))),
      )
      const stored = answers.filter(({ status }) => status === 201).length
      expect(stored).toBeLessThanOrEqual(3)
      expect(stored).toBeGreaterThan(0)
      for (const { status, json } of answers) if (status !== 201) expect(json.code).toBe('quota-exceeded')
      expect((await ann.call('/files')).json.files.length).toBe(stored)
    }
  })

  it('is not exceeded when a publish happens between the check of the disk and the reservation', async () => {
    const { disk, answered, reserve } = openSpace()
    const first = await answered(reserve(6))
    const second = reserve(6)
    // The first is published while the second looks: it was not yet there then, and is not under way any more.
    disk.used = 6
    first.release()
    await expect(answered(second)).rejects.toMatchObject({ code: 'quota-exceeded' })
  })

  it('is not reserved by an upload that ended while it requested more', async () => {
    const { answered, reserve } = openSpace()
    const first = await answered(reserve(1))
    const more = first.coverExactly(10)
    first.release()
    await answered(more)
    await answered(reserve(10))
  })

  it('is not reserved by any change of a reservation after its release', async () => {
    const { answered, reserve } = openSpace()
    const first = await answered(reserve(2))
    first.release()
    first.shrink(10)
    await answered(first.cover(10))
    await answered(first.coverExactly(10))
    await answered(reserve(10))
  })
})

describe("the account's own quota", () => {
  const shared = shareServer({ quota: MiB, jobsPerAccount: 8, shutdownGraceMs: 0 })
  const refused = { status: 413, json: { code: 'quota-exceeded' } }

  /** An account with this quota, and what changes that. */
  async function newAccount(quota: number | 'none' | null) {
    const [ann, admin] = [await shared.newCaller(), await shared.admin()]
    const { account } = (await ann.call('/auth/me')).json
    const setQuota = async (wanted: number | 'none' | null) => {
      const answer = await admin.call(`/accounts/${account}`, { method: 'PATCH', body: { quota: wanted } })
      expect(answer).toMatchObject({ status: 200, json: { account, quota: wanted } })
    }
    await setQuota(quota)
    return { ann, setQuota, space: async () => (await ann.call('/auth/me')).json.space }
  }

  const doors: Record<string, (caller: Caller, name: string, body: Buffer) => Promise<Answer>> = {
    PUT: (caller, name, body) => caller.put(name, body),
    'PUT without a length': inChunks,
    'a form': byForm,
    tus: async (caller, name, body) => {
      const tus = new Tus(caller)
      const created = await tus.create({ name, length: body.length })
      return created.status === 201 ? tus.patch(created.headers.location!, 0, body) : created
    },
    'a tar': (caller, name, body) => {
      const headers = { 'Content-Type': 'application/x-tar' }
      return caller.call('/files/in/?extract=tar', { method: 'PUT', headers, body: tarOf([{ name, content: body }]) })
    },
  }

  it.each(Object.entries(doors))('goes before that of the server, in both directions, at %s', async (_, upload) => {
    const { ann, setQuota } = await newAccount(2 * MiB)
    expect(await upload(ann, 'a.csv', Buffer.alloc(3 * MiB, 'x'))).toMatchObject(refused)
    expect((await upload(ann, 'b.csv', Buffer.alloc(1.5 * MiB, 'x'))).status).toBeLessThan(300)
    await setQuota('none')
    expect((await upload(ann, 'c.csv', Buffer.alloc(3 * MiB, 'x'))).status).toBeLessThan(300)
    await setQuota(null)
    expect(await upload(ann, 'd.csv', Buffer.from('x'))).toMatchObject(refused)
    expect(await upload(await shared.newCaller(), 'a.csv', Buffer.alloc(1.5 * MiB, 'x'))).toMatchObject(refused)
  })

  it('when lowered lets a running upload end, and refuses new bytes', async () => {
    const { ann, setQuota, space } = await newAccount(4 * MiB)
    const running = await holdUpload(ann, 'a', { size: 3 * MiB })
    expect(await space()).toMatchObject({ used: 0, reserved: 3 * MiB, quota: 4 * MiB, free: MiB })
    const growing = ann.open('/files/b', { method: 'PUT' })
    const answer = answerOf(growing)
    growing.write('x')
    await setQuota(MiB)
    expect(await ann.put('c', 'x')).toMatchObject(refused)
    growing.write(Buffer.alloc(2 * MiB))
    expect(await answer).toMatchObject(refused)
    growing.destroy()
    running.finish()
    expect((await running.answer).status).toBe(201)
    await expect.poll(space).toEqual({ used: 3 * MiB, reserved: 0, quota: MiB, free: 0 })
    expect((await ann.put('a', Buffer.alloc(MiB))).status).toBe(200)
    expect(await ann.put('c', 'x')).toMatchObject(refused)
  })

  it('counts for the files of a job', async () => {
    const { ann, setQuota } = await newAccount(10)
    const { id } = (await ann.post('/jobs', { kind: 'upload', name: 'folder/' })).json
    const put = () => ann.put('folder/a', 'x'.repeat(11), { 'Filejobs-Part-Of': id })
    expect(await put()).toMatchObject(refused)
    await setQuota(11)
    expect((await put()).status).toBe(201)
  })
})

/** A quota of ten bytes, on a disk that looks when it is asked to and tells when the test says so, by `answered`. */
function openSpace() {
  const disk = { used: 0, tell: () => {} }
  const stored = {
    usage: async () => {
      const { used } = disk
      await new Promise<void>((resolve) => {
        disk.tell = resolve
      })
      return used
    },
    freeBytes: async () => 10 ** 12,
    freed: async () => {},
  }
  const space = new LocalSpace(stored, { maxFileSize: null, quotaOf: async () => 10 })
  return {
    disk,
    reserve: (bytes: number) => space.reserve({ role: 'user', username: 'ann' }, bytes, 0, () => 0),
    async answered<T>(asked: Promise<T>): Promise<T> {
      const timer = setInterval(() => disk.tell(), 1)
      return asked.finally(() => clearInterval(timer))
    },
  }
}

onlyLocal('a bucket has no disk that fills', () => {
  describe.skipIf(!canMount)('a full disk', () => {
    it('answers 507 before the body if the declared length exceeds the free space', async () => {
      const { ann } = await startOnSmallDisk()
      const request = ann.open('/files/a', { method: 'PUT', headers: { 'Content-Length': 30 * MiB } })
      const answer = answerOf(request)
      request.flushHeaders()
      expect(await answer).toMatchObject({ status: 507, json: { code: 'disk-full' } })
      request.destroy()
      expect((await ann.put('a', Buffer.alloc(10 * MiB))).status).toBe(201)
      expect(await ann.put('b', Buffer.alloc(15 * MiB))).toMatchObject({ status: 507 })
    })

    it('counts bytes declared by other uploads and not yet sent', async () => {
      const { ann, bob } = await startOnSmallDisk()
      const held = await holdUpload(ann, 'a', { size: 12 * MiB })
      expect(await bob.put('b', Buffer.alloc(12 * MiB))).toMatchObject({ status: 507 })
      held.finish()
      expect((await held.answer).status).toBe(201)
      expect((await bob.put('b', Buffer.alloc(5 * MiB))).status).toBe(201)
    })

    it('answers 507 to an upload of unknown length, keeps the old version, and frees the space', async () => {
      const { ann, partials } = await startOnSmallDisk()
      await ann.put('a', 'old')
      for (const upload of [inChunks, byForm]) {
        expect(await upload(ann, 'a', Buffer.alloc(30 * MiB))).toMatchObject({
          status: 507,
          json: { code: 'disk-full' },
        })
        expect(await partials()).toEqual([])
      }
      expect((await ann.call('/files/a')).body.toString()).toBe('old')
      expect((await ann.put('b', Buffer.alloc(15 * MiB))).status).toBe(201)
    })

    it('answers 507 to a tus upload, and frees its space and its slot', async () => {
      const { ann, fill, partials } = await startOnSmallDisk()
      const tus = new Tus(ann)
      const deferred = await tus.begin({ length: null })
      const refused = await tus.patch(deferred, 0, Buffer.alloc(30 * MiB))
      expect(refused).toMatchObject({ status: 507, json: { code: 'disk-full' } })
      const known = await tus.begin({ length: 10 * MiB })
      const held = await tus.hold(known, 0, 'x', { 'Content-Length': String(10 * MiB) })
      await fill(18 * MiB)
      held.request.end(Buffer.alloc(10 * MiB - 1))
      expect(await held.answer).toMatchObject({ status: 507, json: { code: 'disk-full' } })
      for (const path of [deferred, known]) {
        expect(await ann.job(idOf(path))).toMatchObject({ state: 'failed', error: { code: 'disk-full' } })
        expect((await tus.head(path)).status).toBe(410)
      }
      expect(await partials()).toEqual([])
      expect((await ann.put('b', 'b')).status).toBe(201)
    })

    it('without space for the resume state of a tus upload ends the upload', async () => {
      const { ann, fill, partials } = await startOnSmallDisk()
      const tus = new Tus(ann)
      const path = await tus.begin({ length: null })
      await tus.patch(path, 0, '01234')
      await fill()
      const refused = await tus.patch(path, 5, '', { 'Upload-Length': '10' })
      expect(refused).toMatchObject({ status: 507, json: { code: 'disk-full' } })
      expect(await partials()).toEqual([])
      expect((await tus.head(path)).status).toBe(410)
    })

    it('filled by another program is answered 507, too', async () => {
      const { ann, fill, partials } = await startOnSmallDisk()
      const held = await holdUpload(ann, 'a', { size: 10 * MiB })
      await fill(18 * MiB)
      held.finish()
      expect(await held.answer).toMatchObject({ status: 507, json: { code: 'disk-full' } })
      expect(await partials()).toEqual([])
      expect((await ann.call('/files')).status).toBe(200)
    })
  })
})

async function inChunks(caller: Caller, name: string, body: Buffer) {
  const request = caller.open(`/files/${name}`, { method: 'PUT' })
  const answer = answerOf(request)
  Readable.from(slices(body)).pipe(request)
  return answer
}

function* slices(body: Buffer) {
  for (let offset = 0; offset < body.length; offset += 64 * 1024) yield body.subarray(offset, offset + 64 * 1024)
}

async function byForm(caller: Caller, name: string, body: Buffer) {
  const start = `--b\r\nContent-Disposition: form-data; name="f"; filename="${name}"\r\n\r\n`
  const request = caller.open('/upload', {
    method: 'POST',
    headers: { 'Content-Type': 'multipart/form-data; boundary=b' },
  })
  const answer = answerOf(request)
  request.write(start)
  for (const slice of slices(body)) request.write(slice)
  request.end('\r\n--b--\r\n')
  return answer
}
