import type { PendingQuery, Row } from 'postgres'
import type { JobRecord } from '../../../protocol/jobs.js'
import type { SlotJob } from '../slots.js'
import { claimLost } from '../storage-fault.js'
import type { Database, Transaction } from './database.js'
import { jsonText } from './json-text.js'
import { nameOfSlots, type SlotKey } from './slot-key.js'

/** A job that holds a slot, or waits for one. */
export interface SlotRow {
  id: string
  node: number | null
  slot: number | null
  isWaiting: boolean
  isBounded: boolean
  /** It has ended since the slots were locked, and is about to release its slot. */
  isEnded: boolean
  record: JobRecord
}

/** A waiting job that got a slot. */
export interface Grant {
  id: string
  node: number | null
}

/**
 * Changes to the slots of a key happen one after the other, on all servers. Held until the end of the transaction. The slots of
 * jobs that have ended are free: their clients know of the end, and their next requests may come here before the release.
 * `next` is what the transaction does first. Returns the rows after it. All is sent at once, since others wait for each round trip.
 */
export async function lockSlots(
  sql: Transaction,
  key: SlotKey,
  next: readonly PendingQuery<Row[]>[] = [],
): Promise<SlotRow[]> {
  const lock = sql`select pg_advisory_xact_lock(hashtextextended(current_schema() || ' slots ' || ${nameOfSlots(key)}, 0))`
  const free = sql`
    update jobs set slot = null, turn = null, node = null
    where kind = ${key.kind} and account = ${key.account} and slot is not null and ended_at is not null`
  const rows = slotRows(sql, key)
  const queries = [lock, free, ...next, rows]
  // Each is sent when it is executed, in this order.
  for (const query of queries) query.execute()
  await Promise.all(queries)
  return rows
}

/** Throws if this registration is gone. It cannot be deleted until the end of the transaction. */
export async function requireNode(sql: Transaction, node: number): Promise<void> {
  checkNode(await keepNode(sql, node))
}

/** The query of `requireNode`, the result of which `checkNode` checks. */
export function keepNode(sql: Transaction, node: number) {
  return sql`select from nodes where id = ${node} for key share`
}

export function checkNode(rows: readonly Row[]): void {
  if (rows.length === 0) throw claimLost()
}

/** Where a server is reached; null as long as it does not listen, or if it is gone. */
export async function serverAddress(sql: Transaction, node: number): Promise<string | null> {
  const [row] = await sql<{ address: string | null }[]>`select address from nodes where id = ${node}`
  return row?.address ?? null
}

/** In the order of their turns: the holders by when they got their slot, the others as they came. */
export function slotRows(sql: Database | Transaction, { kind, account }: SlotKey) {
  return sql<SlotRow[]>`
    select id, node, slot, is_waiting, is_bounded, ended_at is not null as is_ended, record from jobs
    where kind = ${kind} and account = ${account} and (slot is not null or is_waiting)
    order by turn`
}

export function freeSlots(rows: SlotRow[], limit: number): number[] {
  const held = new Set(rows.map(({ slot }) => slot))
  return Array.from({ length: limit }, (_, slot) => slot).filter((slot) => !held.has(slot))
}

export interface Place {
  /** null while it waits, or needs none yet. */
  slot: number | null
  isWaiting: boolean
  isBounded: boolean
}

export const noPlace: Place = { slot: null, isWaiting: false, isBounded: false }

/** Inserts the row of a new job; undefined if its id was used. */
export async function insertJob(
  sql: Transaction,
  job: SlotJob,
  node: number,
  { slot, isWaiting, isBounded }: Place,
  isResumable: boolean,
): Promise<number | undefined> {
  const record = job.record()
  const [row] = await sql<{ seq: number }[]>`
    insert into jobs (id, kind, account, account_id, state, record, node, is_resumable, slot, is_waiting, is_bounded, turn)
    values (${job.id}, ${job.kind}, ${job.account}, ${job.accountId}, ${record.state}, ${jsonText(record)}::text::json,
      ${node}, ${isResumable}, ${slot}, ${isWaiting}, ${isBounded},
      case when ${slot !== null || isWaiting} then nextval('job_turns') end)
    on conflict (id) do nothing
    returning seq`
  return row?.seq
}

/** Gives free slots to the oldest waiting jobs of a key, whose rows these are. */
export async function grantSlots(
  sql: Transaction,
  rows: SlotRow[],
  limit: number,
): Promise<{ grants: Grant[]; rows: SlotRow[] }> {
  const waiting = rows.filter((row) => row.isWaiting)
  const grants: Grant[] = []
  for (const slot of freeSlots(rows, limit)) {
    const next = waiting.shift()
    if (!next) break
    await sql`
      update jobs set slot = ${slot}, is_waiting = false, is_bounded = false, turn = nextval('job_turns')
      where id = ${next.id}`
    Object.assign(next, { slot, isWaiting: false })
    grants.push({ id: next.id, node: next.node })
  }
  return { grants, rows }
}

/** Gives a job of a server a slot, or a place in the queue. */
export async function move(
  sql: Transaction,
  id: string,
  node: number,
  { slot, isWaiting, isBounded }: Place,
): Promise<void> {
  await sql`
    update jobs set slot = ${slot}, is_waiting = ${isWaiting}, is_bounded = ${isBounded}, turn = nextval('job_turns')
    where id = ${id} and node = ${node}`
}

/** Takes over the row of a resumable job that no server runs. */
export async function adopt(sql: Transaction, job: SlotJob, node: number, seq: number): Promise<number | undefined> {
  const record = job.record()
  const [row] = await sql<{ seq: number }[]>`
    insert into jobs (id, seq, kind, account, account_id, state, record, node, is_resumable)
    values (${job.id}, ${seq}, ${job.kind}, ${job.account}, ${job.accountId}, ${record.state},
      ${jsonText(record)}::text::json, ${node}, true)
    on conflict (id) do update set node = excluded.node, state = excluded.state, record = excluded.record
    where jobs.node is null and jobs.ended_at is null
    returning seq`
  return row?.seq
}
