import { Problem } from '../../protocol/problems.js'

/** The last entry of a page: the next one starts after it, also if it is gone. */
export interface LevelPosition {
  isFolder: boolean
  name: string
  /** The size, or the date in milliseconds, by which files are sorted; null if by name. */
  rank: number | null
}

/** An opaque text for clients. */
export function formatCursor({ isFolder, name, rank }: LevelPosition): string {
  return Buffer.from(JSON.stringify([isFolder ? 1 : 0, name, rank])).toString('base64url')
}

/** Throws `invalid-request`, also for the cursor of a list in another order. */
export function parseCursor(cursor: string, sort: 'name' | 'size' | 'date'): LevelPosition {
  try {
    const [kind, name, rank] = JSON.parse(Buffer.from(cursor, 'base64url').toString()) as unknown[]
    const isOfOrder = kind === 1 || sort === 'name' ? rank === null : typeof rank === 'number'
    if (typeof name === 'string' && isOfOrder) return { isFolder: kind === 1, name, rank: rank as number | null }
  } catch (error) {
    if (!(error instanceof SyntaxError) && !(error instanceof TypeError)) throw error
  }
  throw new Problem('invalid-request', 'cursor: use "next" of the previous page, with the same order.', {
    field: 'cursor',
  })
}
