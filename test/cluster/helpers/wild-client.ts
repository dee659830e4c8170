import { createHash, randomBytes, randomUUID } from 'node:crypto'
import { expect } from 'vitest'
import { type Answer, answerOf, Caller, type CallOptions } from '../../helpers/calls.js'
import { eventually } from '../../helpers/eventually.js'
import { partOf } from '../../helpers/folder-jobs.js'
import { metadataOf, octets } from '../../helpers/tus.js'

export interface WildClientOptions {
  token: string
  /** The address of any server that runs; another one each time. */
  anyServer(): string
  random(): number
  isOver(): boolean
}

/**
 * A client whose requests go to any of several servers that are killed meanwhile. It knows what each of its files may be, by
 * what it was told: a lost answer leaves two possibilities, any other one.
 */
export class WildClient {
  readonly #options: WildClientOptions
  /** The digests that a file may have; null: it may be missing. */
  readonly #possible = new Map<string, Set<string | null>>(names.map((name) => [name, new Set([null])]))
  readonly #uncertainUntil = new Map<string, number>()
  readonly #history: string[] = []
  readonly done = { answered: 0, lost: 0, stopped: 0 }

  constructor(options: WildClientOptions) {
    this.#options = options
  }

  async run(): Promise<void> {
    const { random, isOver } = this.#options
    while (!isOver()) {
      const name = names[Math.floor(random() * names.length)]!
      const at = Math.floor(random() * 8)
      if (at < 2) await this.#put(name)
      else if (at === 2) await this.#remove(name)
      else if (at === 3) await this.#stop(name)
      else if (at === 4) await this.#pause(name)
      else if (at === 5) await this.#resumable(name)
      else if (at === 6) await this.#together()
      await this.#check(name)
    }
  }

  /** Fails unless each file is what it may be, and nothing else is there. */
  async checkAll(): Promise<void> {
    for (const name of names) await this.#check(name)
    const { json } = await this.#until('/files?limit=1000')
    for (const { name } of json.files) expect(names).toContain(name)
  }

  /** The answer of some server; undefined if it was lost, or if that server is going down or waits for its database. */
  async #call(path: string, options: CallOptions = {}): Promise<Answer | undefined> {
    const caller = this.#caller()
    const answer = await caller.call(path, options).catch(() => undefined)
    const isLost = !answer || answer.status >= 500
    this.done[isLost ? 'lost' : 'answered'] += 1
    const { method = 'GET' } = options
    this.#note(
      `${method} ${caller.url}${path}: ${answer ? `${answer.status} ${answer.json?.code ?? answer.json?.state ?? ''}` : 'lost'}`,
    )
    return isLost ? undefined : answer
  }

  async #until(path: string): Promise<Answer> {
    try {
      return await eventually(`an answer to ${path}`, () => this.#call(path))
    } catch (error) {
      throw this.#failure(String(error))
    }
  }

  #caller(): Caller {
    return new Caller({ url: this.#options.anyServer() }, this.#options.token)
  }

  /** At least two bytes, so that one can be sent and one held back. */
  #content(): Buffer {
    return randomBytes(2 + Math.floor(this.#options.random() ** 4 * 3_000_000))
  }

  #may(name: string, digest: string | null, why: string): void {
    this.#note(`${name} may be ${short(digest)}: ${why}`)
    this.#possible.get(name)!.add(digest)
    this.#uncertainUntil.set(name, performance.now() + fencedMs)
  }

  #is(name: string, digest: string | null, why: string): void {
    this.#note(`${name} is ${short(digest)}: ${why}`)
    this.#possible.set(name, new Set([digest]))
  }

  /** Fails if a file that was read cannot be so. */
  #read(name: string, digest: string | null, why: string): void {
    const possible = this.#possible.get(name)!
    if (!possible.has(digest)) {
      throw this.#failure(`${name} is ${short(digest)} (${why}), which it cannot be`)
    }
    // What was lost may still be under way in the database.
    if (performance.now() > (this.#uncertainUntil.get(name) ?? 0)) this.#is(name, digest, why)
  }

  #failure(what: string): Error {
    return new Error(`${what}:\n${this.#history.slice(-100).join('\n')}`)
  }

  /** What it did last. */
  get recent(): string {
    return this.#history.slice(-20).join('\n')
  }

  #note(what: string): void {
    this.#history.push(`${Math.round(performance.now())} ${what}`)
  }

  /** What an answer to the whole of an upload says about the file. */
  #learn(name: string, content: Buffer, answer: Answer | undefined): void {
    if (!answer) this.#may(name, digestOf(content), 'an upload was lost')
    else if (answer.status < 300) this.#is(name, digestOf(content), 'uploaded')
    else expect(expectedRefusals, JSON.stringify(answer.json)).toContain(answer.json.code)
  }

  async #put(name: string): Promise<void> {
    const content = this.#content()
    this.#learn(name, content, await this.#call(`/files/${name}`, { method: 'PUT', body: content, headers: waits }))
  }

  async #remove(name: string): Promise<void> {
    const answer = await this.#call(`/files/${name}`, { method: 'DELETE' })
    if (!answer) this.#may(name, null, 'a removal was lost')
    else if (answer.status === 404) this.#read(name, null, 'not removed')
    else this.#is(name, null, 'removed')
  }

  async #check(name: string): Promise<void> {
    const answer = await this.#until(`/files/${name}`)
    if (answer.status !== 200 && answer.status !== 404) {
      expect(expectedRefusals, JSON.stringify(answer.json)).toContain(answer.json.code)
      return
    }
    this.#read(name, answer.status === 404 ? null : digestOf(answer.body), 'read')
  }

  /** An upload that is begun, and waits for the rest. Undefined if it did not come so far. */
  async #begin(name: string, content: Buffer) {
    const id = randomUUID()
    const headers = { 'Content-Length': content.length, 'Filejobs-Job': id, ...waits }
    const request = this.#caller().open(`/files/${name}`, { method: 'PUT', headers })
    const answer = answerOf(request).catch(() => undefined)
    let ended = false
    void answer.then(() => {
      ended = true
    })
    request.write(content.subarray(0, -1))
    while (!ended) {
      const job = (await this.#call(`/jobs/${id}`))?.json
      if (job?.state === 'running' && job.bytes > 0) return { id, request, answer }
    }
    request.destroy()
    return undefined
  }

  async #stop(name: string): Promise<void> {
    const begun = await this.#begin(name, this.#content())
    if (!begun) return
    const receipt = await this.#call(`/jobs/${begun.id}/stop`, { method: 'POST' })
    if (receipt?.status === 200) {
      this.done.stopped += 1
      const { id, state, error } = receipt.json.job
      expect(id).toBe(begun.id)
      // Unless it was failing already when the stop came, by a fault of this test.
      if (state === 'failed') expect(error.status, JSON.stringify(error)).toBeGreaterThanOrEqual(500)
      else expect(state).toBe('stopped')
      const answer = await begun.answer
      if (answer && answer.status < 500) expect(answer.json).toMatchObject({ code: 'job-stopped' })
    } else if (receipt) expect(expectedRefusals, JSON.stringify(receipt.json)).toContain(receipt.json.code)
    // Its last byte was never sent.
    begun.request.destroy()
    await begun.answer
  }

  async #pause(name: string): Promise<void> {
    const content = this.#content()
    const begun = await this.#begin(name, content)
    if (!begun) return
    const paused = await this.#call(`/jobs/${begun.id}/pause`, { method: 'POST' })
    if (paused?.status === 200) expect(paused.json).toMatchObject({ state: 'paused' })
    await this.#call(`/jobs/${begun.id}/resume`, { method: 'POST' })
    begun.request.end(content.subarray(-1))
    // A lost request to resume leaves it paused.
    const again = setInterval(() => void this.#call(`/jobs/${begun.id}/resume`, { method: 'POST' }), 1000)
    const answer = await begun.answer
    clearInterval(again)
    this.#learn(name, content, answer && answer.status < 500 ? answer : undefined)
  }

  /** By tus, each part by another server. What was acknowledged stays. */
  async #resumable(name: string): Promise<void> {
    const content = Buffer.concat([this.#content(), randomBytes(100_000)])
    const created = await this.#call('/tus', {
      method: 'POST',
      headers: { ...tus, ...waits, 'Upload-Length': content.length, 'Upload-Metadata': metadataOf({ filename: name }) },
    })
    if (created?.status !== 201) return
    const path = created.headers.location!
    this.#may(name, digestOf(content), 'a resumable upload begins')
    let mayBeWhole = false
    for (let acknowledged = 0; acknowledged < content.length; ) {
      const head = await this.#call(path, { method: 'HEAD', headers: tus })
      if (!head) continue
      if (head.status === 404 || head.status === 410) {
        if (mayBeWhole) return
        throw this.#failure(`${path} is gone, of which ${acknowledged} bytes were acknowledged`)
      }
      if (head.status !== 200) throw this.#failure(`${path} does not tell its offset, but answers ${head.status}`)
      const offset = Number(head.headers['upload-offset'])
      if (offset < acknowledged) throw this.#failure(`${path} has ${offset} of ${acknowledged} acknowledged bytes`)
      if (offset === content.length) break
      const part = content.subarray(offset, offset + 1 + Math.floor(this.#options.random() * content.length))
      const headers = { ...tus, ...waits, 'Content-Type': octets, 'Upload-Offset': offset }
      const answer = await this.#call(path, { method: 'PATCH', headers, body: part })
      if (!answer) mayBeWhole ||= offset + part.length === content.length
      else if (answer.status === 204) acknowledged = offset + part.length
      else expect(expectedRefusals, JSON.stringify(answer.json)).toContain(answer.json.code)
    }
    this.#is(name, digestOf(content), 'a resumable upload has ended')
  }

  /** All of several files, or none. */
  async #together(): Promise<void> {
    const id = randomUUID()
    const opened = await this.#call('/jobs', {
      method: 'POST',
      headers: { ...waits, 'Filejobs-Job': id },
      body: { kind: 'upload', name: 'set/', publish: 'together', files: set.length },
    })
    if (opened?.status !== 201) return
    const content = this.#content()
    for (const name of set) {
      const options = { method: 'PUT', body: content, headers: partOf(id, waits) }
      const answer = await this.#call(`/files/${name}`, options)
      if (answer && answer.status < 300) continue
      await this.#call(`/jobs/${id}/stop`, { method: 'POST' })
      return
    }
    const answer = await this.#call(`/jobs/${id}/finish`, { method: 'POST' })
    for (const name of set) this.#learn(name, content, answer)
    const { json } = await this.#until('/files?prefix=set/&limit=1000')
    const found = new Map<string, string>(
      json.files.map((file: { name: string; sha256: string }) => [file.name, file.sha256]),
    )
    const isNew = set.filter((name) => found.get(name) === digestOf(content))
    if (isNew.length > 0) expect(isNew).toEqual(set)
    for (const name of set) this.#read(name, found.get(name) ?? null, 'listed')
  }
}

const set = ['set/a', 'set/b', 'set/c']
const names = ['a', 'b', 'folder/c', 'folder/d', ...set]
/** The slot of a job whose server was killed is free within ten seconds. */
const waits = { Prefer: 'wait=60' }
const tus = { 'Tus-Resumable': '1.0.0' }
/** What the end of another server may be for a client: its job is gone, or it must try again. */
const expectedRefusals = [
  'job-not-found',
  'job-ended',
  'job-running',
  'not-running',
  'already-published',
  'upload-gone',
  'upload-not-found',
  'offset-mismatch',
  'taken-over',
]

/** Longer than a server lives that does not renew its lease. */
const fencedMs = 15_000

function short(digest: string | null): string {
  return digest?.slice(0, 8) ?? 'missing'
}

function digestOf(content: Buffer): string {
  return createHash('sha256').update(content).digest('hex')
}
