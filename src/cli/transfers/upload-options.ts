import type { Pace } from './tools.js'

export interface UploadOptions extends Pace {
  /** Refuse to replace a file. */
  readonly keepExisting: boolean
}

export function preconditionHeaders({ keepExisting }: UploadOptions): Record<string, string> {
  return keepExisting ? { 'if-none-match': '*' } : {}
}
