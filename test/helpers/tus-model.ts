import { randomBytes, randomUUID } from 'node:crypto'
import { expect } from 'vitest'
import { answerOf, Caller } from './calls.js'
import { eventually } from './eventually.js'
import { startTestServer, type TestServer } from './server.js'
import { partialNames } from './stored-state.js'
import { checksumOf, idOf, octets, Tus } from './tus.js'

/** The state of an upload in the model. */
export interface ModelUpload {
  readonly path: string
  readonly name: string
  length: number | null
  /** The possible values of the acknowledged bytes: several if two writers competed. */
  candidates: Buffer[]
  /** What may follow them, because a request with it was cut. */
  unsure: Buffer[]
  state: 'open' | 'published' | 'stopped'
}

export interface PatchPlan {
  bytes: number
  /** By how much the offset is wrong. */
  offsetBy: number
  checksum: 'none' | 'right' | 'wrong'
}

/** A server that can be restarted, and the model of the uploads of one account on it. */
export class TusModel {
  readonly uploads: ModelUpload[] = []
  readonly #dataFolder: string
  readonly #token: string
  #server: TestServer

  constructor(server: TestServer, token: string) {
    this.#server = server
    this.#dataFolder = server.dataFolder
    this.#token = token
  }

  get caller(): Caller {
    return new Caller(this.#server, this.#token)
  }

  get tus(): Tus {
    return new Tus(this.caller)
  }

  /** The server that runs now. */
  get server(): TestServer {
    return this.#server
  }

  async restart(): Promise<void> {
    await this.#server.close()
    expect(this.#server.errors).toEqual([])
    this.#server = await startServerOf(this.#dataFolder)
  }

  async create(length: number | null, first: number): Promise<void> {
    const body = randomBytes(length === null ? first : Math.min(first, length))
    const name = randomUUID()
    const { status, headers } = await this.tus.create({ name, length, ...(body.length > 0 ? { body } : {}) })
    expect(status).toBe(201)
    const upload: ModelUpload = {
      path: headers.location!,
      name,
      length,
      candidates: [body],
      unsure: [],
      state: 'open',
    }
    this.uploads.push(upload)
    expect(Number(headers['upload-offset'])).toBe(body.length)
    if (body.length === length) await this.#expectPublished(upload)
  }

  async patch(upload: ModelUpload, { bytes, offsetBy, checksum }: PatchPlan): Promise<void> {
    const offset = announced(upload)
    const left = upload.length === null ? bytes : upload.length - offset
    const body = randomBytes(Math.max(1, Math.min(bytes, left)))
    const given = Math.max(0, offset + offsetBy)
    const headers = {
      none: {},
      right: { 'Upload-Checksum': checksumOf('sha1', body) },
      wrong: { 'Upload-Checksum': checksumOf('sha1', `not ${body}`) },
    }[checksum]
    const answer = await this.tus.patch(upload.path, given, body, headers)
    const wasUnsure = upload.unsure.length > 0
    if (upload.state !== 'open') {
      expect([409, 410]).toContain(answer.status)
    } else if (answer.status === 204) {
      if (!wasUnsure) expect({ given, isWrong: checksum === 'wrong' }).toEqual({ given: offset, isWrong: false })
      const isWhole = given + body.length === upload.length
      // One byte before the end of an upload whose last bytes came in a cut request, the server publishes those bytes.
      const others = isWhole ? continuations(upload, body.length) : []
      const prefixes = given === offset ? upload.candidates : continuations(upload, given - offset)
      upload.candidates = [...prefixes.map((known) => Buffer.concat([known, body])), ...others]
      upload.unsure = []
      expect(Number(answer.headers['upload-offset'])).toBe(given + body.length)
      if (isWhole) await this.#expectPublished(upload)
    } else {
      const expected = given !== offset || wasUnsure ? [409, 460] : checksum === 'wrong' ? [460] : []
      expect(expected).toContain(answer.status)
    }
  }

  /** A PATCH whose connection breaks after some of its bytes. */
  async cut(upload: ModelUpload, bytes: number, sent: number, arrives: boolean): Promise<void> {
    if (upload.state !== 'open' || upload.unsure.length > 0) return
    const offset = announced(upload)
    const left = upload.length === null ? bytes : upload.length - offset
    const body = randomBytes(Math.max(1, Math.min(bytes, left)))
    const part = body.subarray(0, sent)
    const request = this.caller.open(upload.path, {
      method: 'PATCH',
      headers: {
        'Tus-Resumable': '1.0.0',
        'Content-Type': octets,
        'Upload-Offset': offset,
        'Content-Length': body.length,
      },
    })
    const ended = answerOf(request).catch(() => undefined)
    request.flushHeaders()
    request.write(part)
    upload.unsure = [part]
    if (arrives) {
      const id = idOf(upload.path)
      await eventually('the bytes have come', async () => (await this.caller.job(id)).bytes === offset + part.length)
    }
    request.destroy()
    await ended
  }

  /** Two requests at the same offset with different bytes, at the same time. */
  async race(upload: ModelUpload, bytes: number): Promise<void> {
    if (upload.state !== 'open' || upload.unsure.length > 0) return
    const offset = announced(upload)
    const size = Math.max(1, Math.min(bytes, upload.length === null ? bytes : upload.length - offset))
    const bodies = [randomBytes(size), randomBytes(size)]
    const answers = await Promise.all(bodies.map((body) => this.tus.patch(upload.path, offset, body).catch(() => null)))
    upload.unsure = bodies
    const stored = answers.flatMap((answer, index) => (answer?.status === 204 ? [bodies[index]!] : []))
    if (offset + 1 !== upload.length) expect(stored.length).toBeLessThanOrEqual(1)
    if (stored.length === 1 && offset + 1 !== upload.length) {
      upload.candidates = upload.candidates.map((known) => Buffer.concat([known, stored[0]!]))
      upload.unsure = []
    }
    for (const answer of answers) if (answer) expect([204, 400, 409]).toContain(answer.status)
    await this.look(upload)
  }

  async look(upload: ModelUpload): Promise<void> {
    const { status, headers } = await this.tus.head(upload.path)
    if (upload.state === 'stopped') {
      expect([410, 423]).toContain(status)
      return
    }
    expect(status).toBe(200)
    const offset = Number(headers['upload-offset'])
    const known = announced(upload)
    if (upload.state === 'published') {
      expect(offset).toBe(upload.length ?? known)
      return
    }
    // Between the last byte and the publish, one byte less is announced.
    const isLast = upload.length === known && offset === known - 1
    expect(offset).toBeGreaterThanOrEqual(isLast ? known - 1 : known)
    if (offset > known) {
      upload.candidates = continuations(upload, offset - known)
      expect(upload.candidates).not.toEqual([])
      const rest = upload.unsure.map((bytes) => bytes.subarray(offset - known)).filter(({ length }) => length > 0)
      upload.unsure = offset + 1 === upload.length ? rest : []
    } else if (offset + 1 !== upload.length) {
      upload.unsure = []
    }
    if (offset === upload.length) await this.#expectPublished(upload)
  }

  async remove(upload: ModelUpload): Promise<void> {
    const { status } = await this.tus.remove(upload.path)
    if (upload.state !== 'open') {
      expect(status).toBe(410)
    } else if (status === 410) {
      // It was published by itself: its last bytes had come by a request that was cut.
      expect(upload.unsure).not.toEqual([])
      await this.look(upload)
    } else {
      expect(status).toBe(204)
      upload.state = 'stopped'
      expect((await this.#download(upload)).status).toBe(404)
    }
  }

  /** Ends unfinished uploads, and expects exactly the files of the model on the disk. */
  async finish(): Promise<void> {
    for (const upload of this.uploads) {
      await this.look(upload)
      if (upload.state === 'open') await this.remove(upload)
    }
    const partials = () => partialNames(this.#dataFolder)
    await eventually('nothing is left in partial/', async () => (await partials()).length === 0)
    const published = this.uploads.filter(({ state }) => state === 'published')
    expect((await this.caller.names()).sort()).toEqual(published.map(({ name }) => name).sort())
    for (const upload of published) await this.#expectPublished(upload)
    expect(this.#server.errors).toEqual([])
    for (const { name } of published) await this.caller.call(`/files/${name}`, { method: 'DELETE' })
  }

  async #expectPublished(upload: ModelUpload): Promise<void> {
    const { status, body } = await this.#download(upload)
    expect(status).toBe(200)
    const isKnown = upload.candidates.some((known) => known.equals(body))
    expect({ name: upload.name, bytes: body.length, isKnown }).toMatchObject({ isKnown: true })
    upload.state = 'published'
  }

  #download({ name }: ModelUpload) {
    return this.caller.call(`/files/${name}`)
  }
}

export function startServerOf(dataFolder: string): Promise<TestServer> {
  return startTestServer({ dataFolder, jobsPerAccount: 100, shutdownGraceMs: 0 })
}

function announced({ candidates }: ModelUpload): number {
  return candidates[0]!.length
}

/** The possible values of the bytes after this many more are acknowledged. */
function continuations({ candidates, unsure }: ModelUpload, more: number): Buffer[] {
  const longEnough = unsure.filter(({ length }) => length >= more)
  return candidates.flatMap((known) => longEnough.map((bytes) => Buffer.concat([known, bytes.subarray(0, more)])))
}
