import { Problem } from '../../../protocol/problems.js'
import type { PublishedPartial, PublishTarget } from '../partials.js'
import type { Database } from '../postgres/database.js'
import type { NodeLease } from '../postgres/node-lease.js'
import { requireNode } from '../postgres/slot-rows.js'
import type { AbandonedStage, StagePlan, Stages, StoredStage } from '../stages.js'
import { accountOf } from './file-rows.js'
import type { Objects } from './objects.js'
import { BucketStage } from './stage.js'
import { discardStage, type ReceivedContent, type StageReceiver } from './staged-rows.js'

export interface BucketStagesOptions {
  objects: Objects
  lease: Pick<NodeLease, 'id'>
}

/** Stages as rows: publishing one is one transaction, which a crash cannot interrupt half-way. */
export class BucketStages implements Stages, StageReceiver {
  readonly #database: Database
  readonly #options: BucketStagesOptions
  readonly #open = new Map<string, BucketStage>()

  constructor(database: Database, options: BucketStagesOptions) {
    this.#database = database
    this.#options = options
  }

  async open(plan: StagePlan): Promise<StoredStage> {
    const { jobId: id, space } = plan
    const node = this.#options.lease.id
    await this.#database.begin(async (sql) => {
      await requireNode(sql, node)
      await sql`insert into stages (id, account, node) values (${id}, ${accountOf(space)}, ${node})`
    })
    const onEnd = () => void this.#open.delete(id)
    const stage = new BucketStage(plan, node, { database: this.#database, objects: this.#options.objects, onEnd })
    this.#open.set(id, stage)
    return stage
  }

  async receive(file: ReceivedContent, target: PublishTarget & { stage: string }): Promise<PublishedPartial> {
    const stage = this.#open.get(target.stage)
    if (!stage) throw new Problem('storage-unavailable', `There is no stage ${target.stage} any more: try again.`)
    return stage.receive(file, target)
  }

  async listAbandoned(): Promise<AbandonedStage[]> {
    const rows = await this.#database<{ id: string; files: number; bytes: number }[]>`
      select id, count(name)::bigint as files, coalesce(sum(size), 0)::bigint as bytes
      from stages left join staged_files on stage = id where node is null group by id order by id`
    return rows.map((row) => ({ ...row, published: null }))
  }

  finish(id: string): Promise<void> {
    return this.remove(id)
  }

  async remove(id: string): Promise<void> {
    await this.#database.begin((sql) => discardStage(sql, id))
  }
}
