import { randomUUID } from 'node:crypto'
import type { AbandonedPartial, PartialFile, Partials } from '../partials.js'
import type { Database } from '../postgres/database.js'
import { jsonText } from '../postgres/json-text.js'
import type { NodeLease } from '../postgres/node-lease.js'
import { claimLost } from '../storage-fault.js'
import type { ContentDigests } from './content-digests.js'
import { ObjectDrafts } from './object-drafts.js'
import { objectSizeAt } from './object-size.js'
import { type ContentObject, discardObjects, discardUnpublished, type Objects, passesOfFailed } from './objects.js'
import { BucketPartialFile } from './partial-file.js'
import type { StageReceiver } from './staged-rows.js'

export interface BucketPartialsOptions {
  objects: Objects
  lease: Pick<NodeLease, 'id'>
  /** An empty folder of this server, for bytes that are not in the bucket yet. It may be lost at any time. */
  scratch: string
  /** Bytes of all its files; default: no limit. */
  scratchBytes?: number
  digests: Pick<ContentDigests, 'open'>
  /** For partials that become files of a stage. */
  stages: StageReceiver
  /** Bytes of an object; default: a size that grows with the file. */
  objectSize?: (offset: number) => number
}

/** Partials as rows, with their bytes in a bucket, but for the last ones of those that are being written. */
export class BucketPartials implements Partials {
  readonly #database: Database
  readonly #options: BucketPartialsOptions
  readonly #drafts: ObjectDrafts

  constructor(database: Database, options: BucketPartialsOptions) {
    this.#database = database
    this.#options = options
    this.#drafts = new ObjectDrafts(options.scratch, options.scratchBytes ?? Number.POSITIVE_INFINITY)
  }

  async create(id: string): Promise<PartialFile> {
    const content = randomUUID()
    await this.#database`insert into partials (id, content, node) values (${id}, ${content}, ${this.#options.lease.id})`
    return this.#open(id, content, [])
  }

  async take(id: string): Promise<PartialFile | undefined> {
    const node = this.#options.lease.id
    const found = await this.#database.begin(async (sql) => {
      const [row] = await sql<{ content: string }[]>`
        update partials set node = ${node} where id = ${id} and content is not null returning content`
      if (!row) return undefined
      const { content } = row
      const objects = await sql<(ContentObject & { state: string })[]>`
        select key, position, size, state from objects
        where content = ${content} and state in ('pending', 'stored') order by position`
      // Objects are stored side by side: what is behind one that is missing does not count.
      const gap = objects.findIndex(({ position, state }, index) => position !== index || state === 'pending')
      const kept = gap < 0 ? [...objects] : objects.slice(0, gap)
      const lost = objects.slice(kept.length).map(({ key }) => key)
      await discardObjects(sql, { keys: lost, passes: passesOfFailed })
      return { content, kept }
    })
    return found && this.#open(id, found.content, found.kept)
  }

  async saveState(id: string, state: object): Promise<void> {
    const own = await this.#database`
      update partials set state = ${jsonText(state)}::text::json, updated_at = clock_timestamp()
      where id = ${id} and ${this.#isOwn} returning id`
    if (own.length === 0) throw claimLost()
  }

  async find(id: string): Promise<AbandonedPartial | undefined> {
    const [row] = await this.#database<PartialRow[]>`select ${this.#columns} from partials where id = ${id}`
    return row && foundPartial(row)
  }

  async listAbandoned(): Promise<AbandonedPartial[]> {
    const rows = await this.#database<PartialRow[]>`select ${this.#columns} from partials where node is null`
    return rows.map(foundPartial)
  }

  /** All objects without a gap count, also those that were stored after the last sync of a server that died. */
  get #columns() {
    return this.#database`id, updated_at as modified_at, state, case when content is not null then (
      select coalesce(sum(size), 0)::bigint from (
        select size, row_number() over in_order - 1 = position and bool_and(state = 'stored') over in_order as is_kept
        from objects where content = partials.content and state in ('pending', 'stored')
        window in_order as (order by position)
      ) as ordered where is_kept
    ) end as size`
  }

  async remove(id: string): Promise<void> {
    await this.#database.begin(async (sql) => {
      const gone = await sql<{ content: string | null }[]>`
        delete from partials where id = ${id} and ${this.#isOwn} returning content`
      await discardUnpublished(
        sql,
        gone.flatMap(({ content }) => content ?? []),
      )
    })
  }

  /** Not one whose job another server continues, or may continue. */
  get #isOwn() {
    const { id } = this.#options.lease
    const job = this.#database`select from jobs where jobs.id = partials.id and ended_at is null`
    return this
      .#database`(node = ${id} or exists (${job} and jobs.node = ${id}) or (node is null and not exists (${job})))`
  }

  async usage(): Promise<{ count: number; bytes: number }> {
    const [row] = await this.#database<{ count: number; bytes: number }[]>`
      select count(*)::bigint as count, coalesce(sum(size), 0)::bigint as bytes from partials where content is not null`
    return row!
  }

  async close(): Promise<void> {
    await this.#drafts.close()
  }

  #open(id: string, content: string, stored: ContentObject[]): PartialFile {
    const { objects, lease, stages, digests, objectSize = objectSizeAt } = this.#options
    const drafts = this.#drafts
    const services = { database: this.#database, objects, lease, drafts, digests, stages, objectSize }
    return new BucketPartialFile({ id, content, stored }, services)
  }
}

interface PartialRow extends Omit<AbandonedPartial, 'state'> {
  state: unknown
}

function foundPartial({ state, ...partial }: PartialRow): AbandonedPartial {
  return { ...partial, state: state ?? undefined }
}
