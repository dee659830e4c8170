/** The outcome of one file of a tar. */
export type StoredEntry =
  | { name: string; size: number; sha256: string | null; status: 'new' | 'replaced' | 'unchanged' }
  | { name: string; status: 'failed'; error: unknown }
