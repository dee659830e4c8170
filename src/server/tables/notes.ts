import type { NoteFix } from '../../protocol/import-checks.js'

/** What was guessed and may be wrong, in words, and the options that would decide otherwise. */
export interface Note {
  readonly text: string
  readonly fix?: NoteFix
}
