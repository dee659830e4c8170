import type { TransferOptions } from './transfer-options.js'

export interface UploadSettings extends TransferOptions {
  /** Of the file on the server; default: that of the path or of the File. */
  name?: string | undefined
  /** Whether to replace a file of that name; default true. With false, the upload fails with `precondition-failed` if there is one. */
  replace?: boolean | undefined
}

export function replaceHeaders({ replace = true }: UploadSettings): Record<string, string> {
  return replace ? {} : { 'if-none-match': '*' }
}
