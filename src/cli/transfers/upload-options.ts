import type { Pace } from './tools.js'

export interface UploadOptions extends Pace {
  /** Fail if the file exists. */
  readonly keepExisting: boolean
  /** Publish a stream without bytes, such as an empty stdin. */
  readonly allowEmpty: boolean
}

export function preconditionHeaders({ keepExisting }: UploadOptions): Record<string, string> {
  return keepExisting ? { 'if-none-match': '*' } : {}
}
