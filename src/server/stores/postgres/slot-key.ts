import type { JobKind } from '../../../protocol/jobs.js'

/** The jobs of a kind and account share slots and a queue. */
export interface SlotKey {
  kind: JobKind
  account: string
}

export function nameOfSlots({ kind, account }: SlotKey): string {
  return `${kind} ${account}`
}
