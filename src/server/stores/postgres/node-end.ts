import type { Transaction } from './database.js'
import type { SlotKey } from './slot-key.js'

/**
 * Deletes the rows of servers, which takes all claims from them, and frees the slots of their jobs. Returns those. The jobs
 * themselves are left to the reaper.
 */
export async function endNodes(sql: Transaction, ids: number[]): Promise<SlotKey[]> {
  const freed = await sql<SlotKey[]>`
    with left_behind as (
      update jobs set slot = null, turn = null, is_waiting = false, is_bounded = false, node = null
      where node = any(${ids})
      returning kind, account
    )
    select distinct kind, account from left_behind`
  await sql`delete from nodes where id = any(${ids})`
  return [...freed]
}
